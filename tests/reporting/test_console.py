"""Words reach every console, whatever signs it knows."""

import errno
import io

import pytest

from model.reporting.console import drop_rest, plain, ready_streams


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("£10m ± 2", "GBP 10m +/- 2"), ("1 × 2 − 3", "1 x 2 - 3"), ("Łódź…", "?odz..."), ("café", "cafe")],  # noqa: RUF001
)
def test_plain_signs_stand_for_others(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", "£5 −1"), ("latin-1", "£5 -1"), ("ascii", "GBP 5 -1")])  # noqa: RUF001
def test_only_signs_a_console_lacks_are_replaced(encoding, expected, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=encoding, write_through=True))
    ready_streams()
    print("£5 −1", end="")  # noqa: RUF001

    assert written.getvalue().decode(encoding) == expected


class SmallDisk(io.RawIOBase):
    """Takes so many bytes: of what does not fit, a part, as a disk does that is getting full."""

    def __init__(self, n_bytes):
        self.written, self.n_bytes = b"", n_bytes

    def writable(self):
        return True

    def write(self, data):
        fits = bytes(data[: self.n_bytes - len(self.written)])
        if not fits:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.written += fits
        return len(fits)


def test_half_of_what_is_printed_is_an_error_where_python_keeps_no_buffer(monkeypatch):
    disk, ample = SmallDisk(10), SmallDisk(1_000)
    for raw in (disk, ample):
        own = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
        monkeypatch.setattr("sys.stdout", own)
        monkeypatch.setattr("sys.__stdout__", own)
        ready_streams()
        if raw is ample:
            print("one line")
            assert ample.written == b"one line\n"  # at once, as it is asked for
        else:
            with pytest.raises(OSError, match="No space left"):
                print("more than ten bytes")
            disk.n_bytes = 1_000  # so that nothing is left to complain of


def test_what_a_full_disk_did_not_take_is_not_tried_again(tmp_path):
    with (tmp_path / "printed").open("w", encoding="utf-8") as stream:
        stream.write("still held")
        drop_rest(stream)
    assert (tmp_path / "printed").read_text(encoding="utf-8") == ""
