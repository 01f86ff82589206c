"""`generate()` of transformers, over a chain or over one of its own models. Needs transformers."""

import numpy as np
from decode.peers import BEAM, EARLY_STOPPING, EOS, LENGTH, START, VOCAB


def chain_model(table):
    """Returns a second-order chain as a language model of transformers."""
    import torch
    import transformers
    from transformers.modeling_outputs import CausalLMOutput

    class Chain(transformers.PreTrainedModel, transformers.GenerationMixin):
        config_class = transformers.PretrainedConfig
        main_input_name = "input_ids"

        def __init__(self):
            super().__init__(transformers.PretrainedConfig(vocab_size=VOCAB))
            self.table = torch.nn.Parameter(torch.tensor(table), requires_grad=False)
            self.generation_config = transformers.GenerationConfig()

        def forward(self, input_ids, **ignored):
            padded = torch.nn.functional.pad(input_ids, (1, 0), value=START)
            return CausalLMOutput(logits=self.table[padded[:, :-1], padded[:, 1:]])

        def prepare_inputs_for_generation(self, input_ids, **ignored):
            return {"input_ids": input_ids}

    return Chain()


def small_gpt2():
    """Returns a small GPT-2 with random weights that never says what a search starts from."""
    import torch
    import transformers

    class Model(transformers.GPT2LMHeadModel):
        def forward(self, *arguments, **settings):
            output = super().forward(*arguments, **settings)
            output.logits[..., START] = -torch.inf
            return output

    torch.manual_seed(3)
    config = transformers.GPT2Config(
        vocab_size=VOCAB,
        n_positions=LENGTH + 2,
        n_embd=16,
        n_layer=2,
        n_head=2,
        initializer_range=0.9,
    )
    return Model(config).eval()


def generate(model, stop, alpha, settings):
    """Returns `(sequences [beam, length] padded with -1, scores [beam])`, best first."""
    import torch

    found = model.generate(
        torch.tensor([[START]]),
        num_beams=BEAM,
        num_return_sequences=BEAM,
        length_penalty=alpha,
        early_stopping=EARLY_STOPPING[stop],
        max_new_tokens=LENGTH,
        do_sample=False,
        use_cache=False,
        eos_token_id=EOS,
        pad_token_id=EOS,
        bos_token_id=START,
        return_dict_in_generate=True,
        output_scores=True,
        **settings,
    )
    sequences = np.full((BEAM, LENGTH), -1)
    for row, tokens in enumerate(found.sequences[:, 1:].numpy()):
        ends = np.flatnonzero(tokens == EOS)
        count = ends[0] + 1 if len(ends) else len(tokens)
        sequences[row, :count] = tokens[:count]
    return sequences, found.sequences_scores.numpy()
