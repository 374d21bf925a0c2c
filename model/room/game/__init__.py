"""The wrong-pocket game: council, NHS and police each decide what to put into prevention, alone and then together."""
