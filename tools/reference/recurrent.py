"""Recurrent networks and their cells."""
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from cases import *  # noqa: F403

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def given(x, i):
    return x[i] if i < len(x) else None


def result_of(kind, x, a):
    """Output and last states by torch.lstm and the like, which take the parameters as a list."""
    states = 2 if kind == "lstm" else 1
    layers, both, batch_first = integer(a, "num_layers", 1), bool(one(a, "bidirectional", 0)), bool(one(a, "batch_first", 0))
    state = list(x[1:1 + states]) if one(a, "state", 1) else None
    params = list(x[1 + (states if state else 0):])
    passes, hidden = layers * (2 if both else 1), params[1].shape[1]
    data, unbatched = x[0], x[0].dim() == 2
    if unbatched:
        data, batch_first = data.unsqueeze(1), False
        state = state and [s.unsqueeze(1) for s in state]
    if state is None:
        state = [torch.zeros(passes, data.shape[0 if batch_first else 1], hidden, dtype=data.dtype)] * states
    biased = len(params) == 4 * passes
    call = getattr(torch, kind)
    if "lengths" in a:
        packed = pack_padded_sequence(data, torch.tensor(ints(a, "lengths")), batch_first, enforce_sorted=False)
        state = [s.index_select(1, packed.sorted_indices) for s in state]
        out, *last = call(packed.data, packed.batch_sizes, state if states == 2 else state[0], params, biased, layers,
                          0.0, False, both)
        out = pad_packed_sequence(PackedSequence(out, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices),
                                  batch_first, total_length=data.shape[1 if batch_first else 0])[0]
        last = [s.index_select(1, packed.unsorted_indices) for s in last]
    else:
        out, *last = call(data, state if states == 2 else state[0], params, biased, layers, 0.0, False, both, batch_first)
    return [t.squeeze(1) for t in (out, *last)] if unbatched else [out, *last]


def network(kind, which):
    return lambda x, a: result_of(kind, x, a)[which]


def cell(kind):
    def call(x, a):
        squeezed = x[0].dim() == 1
        t = [v.unsqueeze(0) for v in x[:2]] + list(x[2:]) if squeezed else list(x)
        h = getattr(torch, kind)(t[0], t[1], t[2], t[3], given(t, 4), given(t, 5))
        return h.squeeze(0) if squeezed else h
    return call


def lstm_cell(which):
    def call(x, a):
        squeezed = x[0].dim() == 1
        t = [v.unsqueeze(0) for v in x[:3]] + list(x[3:]) if squeezed else list(x)
        state = torch.lstm_cell(t[0], (t[1], t[2]), t[3], t[4], given(t, 5), given(t, 6))[which]
        return state.squeeze(0) if squeezed else state
    return call


for kind in GATES:
    CALLS[kind] = network(kind, 0)
    CALLS[kind + ".h"] = network(kind, 1)
    if kind != "lstm":
        CALLS[kind + "_cell"] = cell(kind + "_cell")
CALLS.update({"lstm.c": network("lstm", 2), "lstm_cell": lstm_cell(0), "lstm_cell.c": lstm_cell(1)})


def recurrent():
    for kind, gates in GATES.items():
        states = 2 if kind == "lstm" else 1

        def params(inputs, hidden, layers=1, directions=1, biases=True):
            made = []
            for p in range(layers * directions):
                width = inputs if p < directions else hidden * directions
                made += [normal(gates * hidden, width) / 2, normal(gates * hidden, hidden) / 2]
                made += [normal(gates * hidden) for _ in range(2 if biases else 0)]
            return made

        for row in [kind, kind + ".h"] + (["lstm.c"] if kind == "lstm" else []):
            def state(*shape):
                return [normal(*shape) for _ in range(states)]
            case(row, [normal(3, 2, 2), *state(1, 2, 3), *params(2, 3)], grad=True)
            case(row, [normal(3, 2), *state(2, 2), *params(2, 2, layers=2)], grad=True, num_layers=2)
            case(row, [normal(3, 4, 1), *params(1, 2, directions=2)], grad=True, batch_first=1, bidirectional=1, state=0,
                 lengths=[2, 4, 1])
            if row == kind:
                case(row, [normal(5, 2, 3), *params(3, 9, biases=False)], state=0)
        for row in [kind + "_cell"] + (["lstm_cell.c"] if kind == "lstm" else []):
            case(row, [normal(2, 3), *[normal(2, 2) for _ in range(states)], *params(3, 2)], grad=True)
            case(row, [normal(3), *[normal(2) for _ in range(states)], *params(3, 2, biases=False)], grad=True)
            case(row, [normal(2, 3), *[normal(2, 9) for _ in range(states)], *params(3, 9)])


FAMILIES = {"recurrent": recurrent}
