"""Where a computation first stops being finite: it is done once more, operation by operation."""

import contextlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

CALLS = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "checkpoint": "jaxpr",
    "remat2": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}
"""Operations that do no more than what is inside of them, and what it is called."""


def first_not_finite(function: Any, *arguments: Any) -> str | None:
    """Returns what first gave an infinity or NaN in `function(*arguments)`, in words.

    First among the arguments (by name of the leaf), then operation by operation, through loops step
    by step: the first that gives NaN of numbers, and before it the first that gives an infinity of
    finite numbers. A logarithm of 0 is not held against anybody. An operation is named by the
    modules that it stands in. Slow: for a batch that has gone wrong already.

    Returns:
      None if all that was computed is finite.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(arguments):
        if _kind(leaf):
            name = jax.tree_util.keystr(path[1:], simple=True, separator="/")
            return f"{name or 'an argument'} holds {_kind(leaf)} before the step"
    closed = jax.make_jaxpr(function)(*arguments)
    finder = _Finder()
    with contextlib.suppress(_FoundError):
        finder.evaluate(closed.jaxpr, closed.consts, jax.tree.leaves(arguments), "")
    found = [text for text in (finder.infinite, finder.nan) if text]
    return ", then ".join(found) or None


class _FoundError(Exception):
    """The first NaN: nothing after it matters."""


def _counts(params: Any) -> tuple[int, int]:
    """Returns how many inputs of a scan are the same at every step, and how many are carried."""
    if "ft_in" not in params:  # before JAX 0.12
        return params["num_consts"], params["num_carry"]
    fixed, carried, _ = params["ft_in"].unpack()
    return len(list(fixed.vals)), len(list(carried.vals))


class _Finder:
    infinite = ""
    nan = ""

    def evaluate(self, jaxpr: Jaxpr, consts: Any, arguments: Any, scope: str) -> list[Any]:
        """Returns what the program gives; its operations are named as inside of `scope`."""
        values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *arguments], strict=True))

        def read(atom):
            return atom.val if isinstance(atom, Literal) else values[atom]

        for equation in jaxpr.eqns:
            inputs = [read(atom) for atom in equation.invars]
            outputs = self._outputs(equation, inputs, scope)
            values.update(zip(equation.outvars, outputs, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _outputs(self, equation: Any, inputs: list[Any], scope: str) -> Any:
        name, params = equation.primitive.name, equation.params
        inside = "/".join(part for part in (scope, str(equation.source_info.name_stack)) if part)
        if name in CALLS:
            return self._inner(params[CALLS[name]], inputs, inside)
        if name == "scan":
            return self._scan(params, inputs, inside)
        if name == "cond":
            branches = params["branches"]
            number = int(np.clip(int(inputs[0]), 0, len(branches) - 1))
            return self._inner(branches[number], inputs[1:], inside)
        outputs = equation.primitive.bind(*inputs, **params)
        outputs = outputs if equation.primitive.multiple_results else [outputs]
        self._look(name, inputs, outputs, inside)
        return outputs

    def _inner(self, inner: Any, inputs: list[Any], scope: str) -> list[Any]:
        if isinstance(inner, ClosedJaxpr):
            return self.evaluate(inner.jaxpr, inner.consts, inputs, scope)
        return self.evaluate(inner, (), inputs, scope)

    def _scan(self, params: Any, inputs: list[Any], scope: str) -> list[Any]:
        fixed, carried = _counts(params)
        consts, carry = inputs[:fixed], list(inputs[fixed : fixed + carried])
        rows, stacked = inputs[fixed + carried :], []
        steps = range(params["length"])
        for step in reversed(steps) if params["reverse"] else steps:
            here = f"{scope}[step {step}]"
            outputs = self._inner(
                params["jaxpr"], [*consts, *carry, *(row[step] for row in rows)], here
            )
            carry = outputs[:carried]
            stacked.append(outputs[carried:])
        if params["reverse"]:
            stacked.reverse()
        kinds = params["jaxpr"].jaxpr.outvars[carried:]
        return carry + [
            jnp.stack([row[number] for row in stacked])
            if stacked
            else jnp.zeros((0, *kind.aval.shape), kind.aval.dtype)
            for number, kind in enumerate(kinds)
        ]

    def _look(self, name: str, inputs: Any, outputs: Any, scope: str) -> None:
        before, after = [set(map(_kind, side)) for side in (inputs, outputs)]
        where = f"{_plain(scope)}: {name} gives"
        if "NaN" in after and "NaN" not in before:
            self.nan = f"{where} NaN"
            raise _FoundError
        if "infinity" in after and not before - {""} and name != "log" and not self.infinite:
            self.infinite = f"{where} infinity"


def _plain(scope: str) -> str:
    """Names of modules and of the loops between them, without what JAX made of them.

    >>> _plain("jit(f)/transpose(jvp(Seq2Seq))/decoder/while[step 3]")
    'gradient of Seq2Seq/decoder/while[step 3]'
    """
    parts = [part for part in scope.split("/") if not part.startswith("jit(")]
    gradient = any(part.startswith("transpose(") for part in parts)
    names = [part.replace("transpose(", "").replace("jvp(", "").replace(")", "") for part in parts]
    text = "/".join(name for name in names if name) or "the loss"
    return f"gradient of {text}" if gradient else text


def _kind(value: Any) -> str:
    """`NaN`, `infinity`, or nothing for what is finite."""
    value = np.float64(value) if isinstance(value, float) else value
    dtype = getattr(value, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jnp.floating) or not value.size:
        return ""
    if bool(jnp.isnan(value).any()):
        return "NaN"
    return "infinity" if bool(jnp.isinf(value).any()) else ""
