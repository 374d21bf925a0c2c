"""Results folders as tests need them."""

from pathlib import Path

from model.core.files import sha256_of
from model.tables.manifest import read_manifest, write_manifest


def reseal(folder: Path, *more: str) -> None:
    """Make the checksums of a results folder anew, as if its tables, and ``more``, had been written as they are now."""
    manifest = read_manifest(folder)
    there = [name for name in (*manifest["tables"], *more) if (folder / f"{name}.parquet").exists()]
    tables = {name: sha256_of(folder / f"{name}.parquet") for name in there}
    write_manifest(folder, {**manifest, "tables": tables})
