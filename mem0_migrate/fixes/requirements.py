"""What manifests have to say after a repair: mem0-shim beside mem0ai, or a narrower range of mem0ai; locks follow by hand."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests import ManifestEdit, Refused, add_shim, declaring, narrow, refresh_command
from mem0_migrate.model import Rewrite
from mem0_migrate.project.manifests import format_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mem0_migrate.fixes.repair import Repair
    from mem0_migrate.model import Declaration

_PROOF = ("read again, it states what it did, and the declared difference",)
_INSTALL = "Install mem0-shim where the code runs: pip install mem0-shim"
_INSTALL_AGAIN = "Install what {} requires now, where the code runs"


@dataclass(frozen=True, slots=True)
class Told:
    """The manifests that are rewritten, and what is left to do by hand, in order."""

    rewrites: tuple[Rewrite, ...]
    by_hand: tuple[str, ...]


def follow(repairs: Sequence[Repair], read: Callable[[str], bytes], may_edit: Callable[[str], bool]) -> Told:
    """The manifests after some repairs.

    Args:
        repairs: What is repaired.
        read: The content of a file; raises OSError.
        may_edit: Whether a file may be edited; of another one, it is said what to write in it.
    """
    following = _Following(read, may_edit)
    for repair in repairs:
        for declaration in repair.shims.values():
            following.add_shim(declaration)
        if repair.narrows is not None:
            following.narrow(*repair.narrows)
    return following.told()


class _Following:
    def __init__(self, read: Callable[[str], bytes], may_edit: Callable[[str], bool]) -> None:
        self._read = read
        self._may_edit = may_edit
        self._before: dict[str, bytes] = {}
        self._after: dict[str, bytes] = {}
        self._messages: dict[str, dict[str, None]] = {}
        self._by_hand: dict[str, None] = {}
        self._refresh: dict[str, None] = {}
        self._install: dict[str, None] = {}

    def add_shim(self, declaration: Declaration) -> None:
        """Have mem0-shim where mem0ai is declared."""
        if declaration.source is not None and _is_script(declaration.source):
            self._by_hand[f'Add "mem0-shim" to the dependencies at the top of {declaration.source}'] = None
            return
        declared = self._declaring(declaration)
        if not declared:
            self._by_hand[_INSTALL] = None
        for filename in dict.fromkeys(filename for filename, _ in declared):
            if not self._may_edit(filename):
                self._by_hand[f"Add mem0-shim to {filename}, beside mem0ai"] = None
                continue
            if self._take(filename, add_shim(filename, self._content(filename), None)):  # whichever list is installed
                self._install[_INSTALL_AGAIN.format(filename)] = None

    def narrow(self, declaration: Declaration, below: str) -> None:
        """Admit only releases of mem0ai below a version."""
        if declaration.source is not None and _is_script(declaration.source):
            self._by_hand[f"Write mem0ai<{below} in the dependencies at the top of {declaration.source}"] = None
            return
        for filename, row in self._declaring(declaration):
            if not self._may_edit(filename):
                self._by_hand[f"Write mem0ai<{below} in {filename}"] = None
                continue
            self._take(filename, narrow(filename, self._content(filename), row, below=below))

    def told(self) -> Told:
        """What came of it."""
        rewrites = [
            Rewrite(name, self._before[name], after, (), tuple(self._messages[name]), _PROOF)
            for name, after in sorted(self._after.items())
        ]
        return Told(tuple(rewrites), (*self._by_hand, *self._refresh, *self._install))

    def _declaring(self, declaration: Declaration) -> list[tuple[str, int | None]]:
        """Where mem0ai is required, by file and 1-based line: of a lock, in the manifests that it was made from."""
        if declaration.source is None or declaration.source.endswith("/METADATA"):
            return []  # what is installed is no place to declare anything
        found = declaring(declaration.source, self._read)
        if all(filename != declaration.source for filename, _ in found):
            command = refresh_command(declaration.source, self._content(declaration.source))
            self._refresh[f"Refresh {declaration.source}: {command}" if command else f"Make {declaration.source} anew"] = None
            return found
        return [(declaration.source, declaration.row), *(item for item in found if item[0] != declaration.source)]

    def _content(self, filename: str) -> bytes:
        return self._after.get(filename) or self._read(filename)

    def _take(self, filename: str, edit: ManifestEdit | Refused | None) -> bool:
        """Keep an edit, or say what is to be done instead; whether there is one."""
        if isinstance(edit, Refused):
            self._by_hand[f"{filename}: {edit.reason}"] = None
        if not isinstance(edit, ManifestEdit):
            return False
        self._before.setdefault(filename, self._content(filename))
        self._after[filename] = edit.content
        begins = edit.message if edit.message.startswith("mem0ai") else edit.message[:1].upper() + edit.message[1:]
        self._messages.setdefault(filename, {})[begins] = None
        return True


def _is_script(filename: str) -> bool:
    """Whether it is code with its requirements in a comment: only its code is edited."""
    return filename.endswith(".py") and format_of(posixpath.basename(filename)) is None
