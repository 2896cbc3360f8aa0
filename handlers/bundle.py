"""Puts the modules of a page into a few files, so that a browser asks for few.

No build step: it runs once when the server starts. Every module becomes one function, and they stand in the
order in which they need each other. What a module imports with `import("./x.js")` comes in a file of its own,
which is fetched when it is first needed. Modules keep to a small grammar: named imports and exports at the
beginning of a line, no `export let`, no circle. Comments that begin a line stay behind, and so does what
our own lines are indented by.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

_IMPORT = re.compile(r'^import\s*(?:(\{[^}]*\}|\w+)\s*from\s*)?"(\.[^"]+)";?', re.MULTILINE)
_PASSED_ON = re.compile(r'^export\s*(\{[^}]*\})\s*from\s*"(\.[^"]+)";?', re.MULTILINE)
_EXPORT_LIST = re.compile(r"^export\s*\{([^}]*)\};?", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function\*?|function\*?|class|const) ?\s*(\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
# What a comment names as a type is no import.
_LATER = re.compile(r'/\*\*.*?\*/|\bimport\("(\.[^"]+)"\)', re.DOTALL)
_LEFT_OVER = re.compile(r"^(?:import\b(?!\()|export\b).*", re.MULTILINE)
# Code may follow a comment in its line: then both stay.
_COMMENT = re.compile(r"^[ \t]*(?:/\*(?:(?!\*/).)*\*/[ \t]*|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
# HTML reads any white space as one space, and no text of ours depends on it; a library's may.
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_CSS_IMPORT = re.compile(r'^@import "([^"]+)";\n', re.MULTILINE)

_HEAD = "const $ = Object.create(null);\nconst $later = (file, name) => import(file).then(() => $[name]);\n"
_HEAD_LATER = 'import { $, $later } from "./{main}";\n'


class BundleError(Exception):
    """A module does not keep to the grammar."""


def bundles(sources: dict[str, str], entry: str) -> dict[str, str]:
    """The files for the module `entry`: its own, and one for each module that comes later."""
    made = {}
    first = list(_in_order(sources, entry, set()))
    main = file_name(entry)
    made[main] = _HEAD + _joined(sources, first) + "export { $, $later };\n"
    waiting = _later(sources, first)
    while waiting:
        name = waiting.pop()
        if file_name(name) in made:
            continue
        parts = list(_in_order(sources, name, set(first)))
        made[file_name(name)] = _HEAD_LATER.replace("{main}", main) + _joined(sources, parts)
        waiting += _later(sources, parts)
    return made


def file_name(module: str) -> str:
    """What the file is called whose first module this is."""
    return module.removesuffix(".js").replace("/", "-") + ".js"


def styles(sources: dict[str, str], entry: str) -> str:
    """A style sheet with everything that it imports in its place."""
    folder = posixpath.dirname(entry)

    def content(found: re.Match[str]) -> str:
        return styles(sources, posixpath.normpath(posixpath.join(folder, found[1])))

    return _CSS_IMPORT.sub(content, sources[entry])


def _in_order(
    sources: dict[str, str], name: str, done: set[str], above: tuple[str, ...] = ()
) -> Iterator[str]:
    """The module and all that it needs, what is needed first."""
    if name in above:
        raise BundleError(f"a circle: {' -> '.join([*above, name])}")
    if name in done:
        return
    if name not in sources:
        raise BundleError(f"{above[-1] if above else 'the page'} imports {name}, which is not there")
    for needed in _needs(sources[name], name):
        yield from _in_order(sources, needed, done, (*above, name))
    done.add(name)
    yield name


def _needs(source: str, name: str) -> list[str]:
    found = [match[2] for pattern in (_IMPORT, _PASSED_ON) for match in pattern.finditer(source)]
    return [_resolved(name, path) for path in found]


def _later(sources: dict[str, str], names: list[str]) -> list[str]:
    found = [(name, match[1]) for name in names for match in _LATER.finditer(sources[name])]
    return [_resolved(name, path) for name, path in found if path]


def _resolved(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _joined(sources: dict[str, str], names: list[str]) -> str:
    return "".join(f'$["{name}"] = (() => {{\n{_body(sources[name], name)}\n}})();\n' for name in names)


def _body(source: str, name: str) -> str:
    body = _as_function(_COMMENT.sub("", source), name)
    return body if name.startswith("vendor/") else _INDENT.sub("", body)


def _as_function(source: str, name: str) -> str:
    """The body of a function that returns what the module exports."""
    exports: dict[str, str] = {}

    def taken(found: re.Match[str]) -> str:
        if found[1] is None:
            return ""
        what = found[1] if found[1].startswith("{") else f"{{ default: {found[1]} }}"
        return f'const {_pairs(what)} = $["{_resolved(name, found[2])}"];'

    def passed_on(found: re.Match[str]) -> str:
        module = _resolved(name, found[2])
        exports.update({public: f'$["{module}"].{own}' for own, public in _names(found[1])})
        return ""

    def listed(found: re.Match[str]) -> str:
        exports.update({public: own for own, public in _names(found[1])})
        return ""

    def declared(found: re.Match[str]) -> str:
        exports[found[1]] = found[1]
        return ""

    def default(_: re.Match[str]) -> str:
        exports["default"] = "$default"
        return "const $default = "

    def later(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0]
        module = _resolved(name, found[1])
        return f'$later("./{file_name(module)}", "{module}")'

    source = _PASSED_ON.sub(passed_on, _IMPORT.sub(taken, source))
    source = _DEFAULT.sub(default, _EXPORT.sub(declared, _EXPORT_LIST.sub(listed, source)))
    if left := _LEFT_OVER.search(source):
        raise BundleError(f"{name}: {left[0][:80]}")
    source = _LATER.sub(later, source)
    return f"{source}\nreturn {{ {', '.join(f'{public}: {own}' for public, own in exports.items())} }};"


def _pairs(names: str) -> str:
    """`{ a, b as c }` as the pattern `{ a, b: c }`."""
    return re.sub(r"\s+as\s+", ": ", names)


def _names(names: str) -> list[tuple[str, str]]:
    """(own name, public name) of each of `a, b as c`."""
    pairs = [re.split(r"\s+as\s+", part.strip()) for part in names.strip("{}").split(",") if part.strip()]
    return [(pair[0], pair[-1]) for pair in pairs]
