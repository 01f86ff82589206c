"""What an LSTM can be made of: the switches of its algebra, and the variants with a name."""

from typing import NamedTuple


class LSTMVariant(NamedTuple):
    """What an LSTM is made of. The default is the LSTM of every toolkit.

    Attributes:
      input_gate, forget_gate, output_gate: Without one, the gate is 1 and has no weights.
      input_activation, output_activation: Without one, the tanh around g, around c', is left out.
      peepholes: Input and forget gate read the old cell, the output gate the new one.
      coupled: f = 1 - i, without weights of its own.
      gate_recurrence: Every gate reads what all gates were a step ago.

    References:
      Greff et al., "LSTM: a search space odyssey", 2017, section 3 and its appendix.
    """

    input_gate: bool = True
    forget_gate: bool = True
    output_gate: bool = True
    input_activation: bool = True
    output_activation: bool = True
    peepholes: bool = False
    coupled: bool = False
    gate_recurrence: bool = False

    @property
    def blocks(self) -> str:
        """The pre-activations with weights of their own: those of `ifgo` that are there."""
        there = {
            "i": self.input_gate,
            "f": self.forget_gate and not self.coupled,
            "g": True,
            "o": self.output_gate,
        }
        return "".join(block for block in "ifgo" if there[block])

    @property
    def gates(self) -> str:
        """Those of the blocks that are gates."""
        return self.blocks.replace("g", "")


STANDARD = LSTMVariant()

VARIANTS: dict[str, LSTMVariant] = {
    "standard": STANDARD,
    "peepholes": LSTMVariant(peepholes=True),
    "no_input_gate": LSTMVariant(peepholes=True, input_gate=False),
    "no_forget_gate": LSTMVariant(peepholes=True, forget_gate=False),
    "no_output_gate": LSTMVariant(peepholes=True, output_gate=False),
    "no_input_activation": LSTMVariant(peepholes=True, input_activation=False),
    "no_output_activation": LSTMVariant(peepholes=True, output_activation=False),
    "coupled": LSTMVariant(peepholes=True, coupled=True),
    "gate_recurrence": LSTMVariant(peepholes=True, gate_recurrence=True),
}
"""The LSTM of Greff et al. is `peepholes`; their eight variants change one thing each (`standard`
is their NP, the others NIG, NFG, NOG, NIAF, NOAF, CIFG and FGR)."""
