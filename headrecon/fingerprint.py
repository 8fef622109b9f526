"""What a stored result depends on, as one number: code, settings, inputs and library versions."""

import ast
import functools
import hashlib
import importlib.metadata
import inspect
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sources:
    """The files of a package as they were when it was read, by module name.

    Taken once at the start of a run: a file that is edited while the program runs must not lend its
    new contents to results of the old code.
    """

    package: str
    modules: Mapping[str, str]
    resources: Mapping[str, bytes]
    """Whatever else lies in a package's folder, by path from the package's root."""

    @staticmethod
    def read(root: Path) -> "Sources":
        """All sources below the folder of a package."""
        modules, resources = {}, {}
        for path in sorted(
            p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts
        ):
            relative = path.relative_to(root)
            if path.suffix == ".py":
                parts = [root.name, *relative.with_suffix("").parts]
                modules[".".join(p for p in parts if p != "__init__")] = path.read_text("utf-8")
            else:
                resources[relative.as_posix()] = path.read_bytes()
        return Sources(root.name, modules, resources)

    def needed_by(self, roots: Iterable[str]) -> tuple[list[str], list[str]]:
        """Modules of the package that `roots` import, directly or not; and the foreign ones.

        Imports inside functions count. A module stands for the packages around it too, since
        Python runs their `__init__` first.
        """
        inside, outside, waiting = set(), set(), list(roots)
        while waiting:
            name = waiting.pop()
            if name.split(".")[0] != self.package:
                outside.add(name.split(".")[0])
            elif name in self.modules and name not in inside:
                inside.add(name)
                waiting += [name.rpartition(".")[0]] if "." in name else []
                waiting += imports_of(self.modules[name], name, self.is_package(name))
        return sorted(inside), sorted(outside - sys.stdlib_module_names)

    def is_package(self, name: str) -> bool:
        """Whether a module is a folder with modules in it."""
        return any(other.startswith(f"{name}.") for other in self.modules)

    def beside(self, modules: Iterable[str]) -> Iterator[bytes]:
        """Contents of the files that are no code but lie in the folders of these modules."""
        folders = {
            "/".join((m if self.is_package(m) else m.rpartition(".")[0]).split(".")[1:])
            for m in modules
        }
        for path, contents in self.resources.items():
            if path.rpartition("/")[0] in folders:
                yield path.encode() + b"\0" + contents


_parsing = threading.Lock()
"""Python 3.11 counts the depth of all trees that are being built in one place (issue 106905)."""


def imports_of(source: str, module: str, is_package: bool) -> list[str]:
    """Dotted names that may be modules, from the import statements of a source."""
    found = []
    with _parsing:
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            up = node.level - is_package
            prefix = base[: len(base) - up] if node.level else []
            origin = ".".join([*prefix, *([node.module] if node.module else [])])
            # `from package import name` may name a module or something in one.
            found += [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
    return found


class Fingerprint:
    """Callable: the hexadecimal fingerprint of a stage applied to inputs.

    Tensors are read once: their digests are kept for as long as they live and are not written to,
    which torch counts. (Writing through an array that shares the memory is not counted.)
    """

    def __init__(self, sources: Sources) -> None:
        """Fingerprints under the code in `sources`."""
        self.sources = sources
        self._tensors: dict[int, tuple[weakref.ref[Tensor], int, bytes]] = {}
        self._code = functools.cache(self._code_uncached)

    def __call__(self, stage: Callable[..., object], *inputs: object) -> str:
        """SHA-256 of everything that the stage's result depends on."""
        code = self._code(tuple(sorted(modules_of(stage))))
        return hashlib.sha256(code + self.digest(stage) + self.digest(inputs)).hexdigest()

    def digest(self, value: object) -> bytes:
        """Digest of a value: tensors, dataclasses of them, containers, numbers and strings."""
        kind = type(value)
        if isinstance(value, Tensor):
            return self._tensor(value)
        if is_dataclass(value) and not isinstance(value, type):
            parts = [getattr(value, field.name) for field in fields(value)]
            names = "".join(f",{field.name}" for field in fields(value))
            return self._join(f"{kind.__module__}.{kind.__qualname__}{names}", parts)
        if isinstance(value, tuple | list):
            return self._join("sequence", value)
        if isinstance(value, dict):
            items = sorted(value.items(), key=lambda item: repr(item[0]))
            return self._join("mapping", [part for item in items for part in item])
        if value is None or isinstance(value, bool | int | float | str):
            text = f"{kind.__name__}:{value!r}".encode("utf-8", "surrogatepass")
            return hashlib.sha256(text).digest()
        if inspect.isfunction(value) and value.__closure__ is None:
            return self._join(f"function {value.__module__}.{value.__qualname__}", ())
        raise TypeError(f"{kind.__qualname__} cannot be fingerprinted")

    def _join(self, tag: str, parts: Iterable[object]) -> bytes:
        joined = hashlib.sha256(tag.encode() + b"\0")
        for part in parts:
            joined.update(self.digest(part))
        return joined.digest()

    def _tensor(self, tensor: Tensor) -> bytes:
        version = -1 if tensor.is_inference() else tensor._version
        known = self._tensors.get(id(tensor))
        if known and known[0]() is tensor and known[1] == version >= 0:
            return known[2]
        array = tensor.detach().cpu().contiguous()
        computed = hashlib.sha256(f"{array.dtype}{tuple(array.shape)}".encode())
        computed.update(array.reshape(-1).view(torch.uint8).numpy().data)
        digest = computed.digest()
        forget = functools.partial(_forget, self._tensors, id(tensor))
        self._tensors[id(tensor)] = (weakref.ref(tensor, forget), version, digest)
        return digest

    def _code_uncached(self, roots: tuple[str, ...]) -> bytes:
        inside, outside = self.sources.needed_by(roots)
        code = hashlib.sha256()
        for name in inside:
            code.update(f"\0{name}\0{self.sources.modules[name]}".encode())
        for contents in self.sources.beside(inside):
            code.update(contents)
        for name, version in versions(outside).items():
            code.update(f"\0{name}=={version}".encode())
        for name in roots:
            if name not in inside:
                code.update(_foreign_source(name).encode())
        return code.digest()


def modules_of(value: object) -> set[str]:
    """Modules in which the classes and functions inside a stage's settings are defined."""
    if inspect.isfunction(value):
        return {value.__module__}
    if is_dataclass(value) and not isinstance(value, type):
        inner = [getattr(value, field.name) for field in fields(value)]
        return {type(value).__module__}.union(*map(modules_of, inner))
    if isinstance(value, tuple | list):
        return set().union(*map(modules_of, value))
    if isinstance(value, dict):
        return set().union(*map(modules_of, value.values()))
    return set()


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Versions of the installed distributions that provide these top-level modules."""
    providers = _providers()
    names = sorted({name for module in modules for name in providers.get(module, ())})
    return {name: importlib.metadata.version(name) for name in names}


@functools.cache
def _providers() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _foreign_source(module: str) -> str:
    """Source of a module outside the package, such as a test or a user's own stage."""
    try:
        return inspect.getsource(sys.modules[module])
    except (OSError, TypeError):
        raise TypeError(
            f"the source of {module} is not in a file, so it cannot be tracked"
        ) from None


def _forget(tensors: dict[int, Any], key: int, _: object) -> None:
    tensors.pop(key, None)
