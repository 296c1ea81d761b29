#!/usr/bin/env python3
"""The outer step of `cargo bench --bench outer_step` with the same network in PyTorch: forward, gradient and AdamW on 22
classification tasks of 128 + 96 rows, 16 columns and 3 classes, on one thread. Tasks are random numbers, already encoded, so
the prior and the encoding, which the Rust bench includes, cost nothing here.

    pip install torch
    python benches/pytorch.py
"""
import math
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

N_TASKS, N_SUPPORT, N_QUERY, N_COLUMNS, N_CLASSES = 22, 128, 96, 16, 3
D, LAYERS, HEADS, REGISTERS, UNITS, BLOCKS, RANK, HEAD_STEPS = 64, 4, 4, 16, 64, 2, 32, 12
N_CELL, N_COLUMN, N_ROW, N_GLOBAL, N_LABEL, N_UNIT = 8, 36, 4, 23, 10, 6


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(D)
        self.query, self.key, self.value, self.output = (nn.Linear(D, D) for _ in range(4))

    def forward(self, tokens, others):
        heads = lambda x: x.unflatten(-1, (HEADS, D // HEADS)).transpose(1, 2)
        q = heads(self.query(self.norm(tokens)))
        mixed = F.scaled_dot_product_attention(q, heads(self.key(others)), heads(self.value(others)))
        return self.output(mixed.transpose(1, 2).flatten(-2))


class Mlp(nn.Module):
    def __init__(self, expansion):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(D), nn.Linear(D, D * expansion), nn.Linear(D * expansion, D)

    def forward(self, x):
        return self.down(torch.relu(self.up(self.norm(x))))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.to_rows, self.to_features = nn.Linear(D, D * N_CELL), nn.Linear(D * N_CELL, D)
        self.to_rows_norm, self.others_norm, self.registers_norm = (nn.LayerNorm(D) for _ in range(3))
        self.to_features_norm, self.features_norm = nn.LayerNorm(D), nn.LayerNorm(D)
        self.register_attention, self.row_attention, self.feature_attention = (Attention() for _ in range(3))
        self.register_mlp, self.row_mlp, self.feature_mlp = Mlp(4), Mlp(2), Mlp(4)

    def forward(self, cells, cells_by_column, rows, features, registers):
        b, n, d = rows.shape[0], rows.shape[1], features.shape[1]
        message = cells @ self.to_rows(features).reshape(b, d * N_CELL, D) / math.sqrt(d * N_CELL)
        rows = rows + self.to_rows_norm(message)
        others = self.others_norm(torch.cat([rows, features], 1))
        registers = registers + self.register_attention(registers, others)
        registers = registers + self.register_mlp(registers)
        seen = self.registers_norm(registers)
        rows = rows + self.row_attention(rows, seen)
        rows = rows + self.row_mlp(rows)
        message = self.to_features((cells_by_column @ rows / n).reshape(b, d, N_CELL * D))
        features = features + self.to_features_norm(message)
        others = torch.cat([self.features_norm(features), seen], 1)
        features = features + self.feature_attention(features, others)
        return rows, features + self.feature_mlp(features), registers


def standardised(x, floor):
    mean = x.mean(1, keepdim=True)
    scale = ((x - mean).square().mean(1, keepdim=True) + floor).sqrt()
    return (x - mean) / scale, mean, scale


def ramp(x, width):
    return (torch.relu(x) - torch.relu(x - width)) * (1 / width + 1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.among, self.mlp = Attention(), Attention(), Mlp(2)
        self.among_norm, self.units_norm, self.look_norm = (nn.LayerNorm(D) for _ in range(3))
        names = ["unit_value", "feature_value", "unit_gate", "feature_gate", "unit_row", "row_value"]
        self.maps = nn.ModuleDict({name: nn.Linear(D, RANK) for name in names})
        self.numbers, self.look_rows, self.look_figures = nn.Linear(D, 2), nn.Linear(D, D), nn.Linear(N_UNIT, D)

    def forward(self, units, others, values, rows, features, contrasts):
        units = units + self.attention(units, others)
        units = units + self.among(units, self.among_norm(units))
        units = units + self.mlp(units)
        seen, n = self.units_norm(units), values.shape[1]
        pair = lambda a, b, x: self.maps[a](seen) @ self.maps[b](x).transpose(1, 2) / math.sqrt(RANK)
        gate = pair("unit_gate", "feature_gate", features).softmax(-1)
        of_rows = pair("unit_row", "row_value", rows) @ values / n
        directions = (pair("unit_value", "feature_value", features) + of_rows) * gate
        shift, width = self.numbers(seen).transpose(1, 2).split(1, 1)
        width = (width + 1).clamp(-3, 3).exp()
        before, _, _ = standardised(values @ directions.transpose(1, 2), 1e-6)
        active, mean, scale = standardised(ramp(before + shift, width), 0.05)
        by_unit = active.transpose(1, 2)
        square = (by_unit @ contrasts).square()
        level = lambda x: (x + 0.1).log() * 0.5
        figures = []
        for part in square.chunk(2, -1):
            peak = (part.square().mean(-1, keepdim=True) + 1e-4).sqrt()
            figures += [level(part.mean(-1, keepdim=True)), level(peak)]
        figures += [(mean / scale).transpose(1, 2), level(scale).transpose(1, 2)]
        look = self.look_rows(by_unit @ rows / n) + self.look_figures(torch.cat(figures, -1))
        return units + self.look_norm(look), directions, shift, width


class Metamodel(nn.Module):
    def __init__(self):
        super().__init__()
        self.label, self.row, self.column = nn.Linear(N_LABEL, D), nn.Linear(N_ROW, D), nn.Linear(N_COLUMN, D)
        self.all = nn.Linear(N_GLOBAL, D)
        self.registers = nn.Parameter(torch.randn(REGISTERS, D))
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norms = nn.ModuleList(nn.LayerNorm(D) for _ in range(4))
        self.units = nn.Parameter(torch.randn(UNITS, D))
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.verdict, self.unit_number = Mlp(2), nn.Linear(D, 1)
        self.feature_number, self.row_number = nn.Linear(D, 1), nn.Linear(D, 1)
        self.up, self.global_numbers = nn.Linear(D, 2 * D), nn.Linear(2 * D, 3)

    def forward(self, task):
        x, cells, cells_by_column, label, row, column, everything, contrasts, targets, query = task
        b, n, d = x.shape
        everything = self.all(everything)
        rows, features = self.label(label) + self.row(row), self.column(column) + everything
        registers = self.registers + everything
        for layer in self.layers:
            rows, features, registers = layer(cells, cells_by_column, rows, features, registers)
        rows, features, registers = self.norms[0](rows), self.norms[1](features), self.norms[2](registers)
        others, units = torch.cat([features, registers], 1), self.units.expand(b, UNITS, D)
        for block in self.blocks:
            units, directions, shift, width = block(units, others, x, rows, features, contrasts)
        units = self.norms[3](units + self.verdict(units))
        numbers = self.global_numbers(torch.relu(self.up(registers.mean(1, keepdim=True))))
        row_weights = self.row_number(rows).tanh().exp()
        row_weights = row_weights / row_weights.mean(1, keepdim=True)
        unit_precision = (self.unit_number(units)[..., 0] * 2 + numbers[:, :, 0] * 2 + 2.1).clamp(-3, 9).exp()
        skip_precision = (self.feature_number(features)[..., 0] * 2 + numbers[:, :, 1] * 2 + 0.6).clamp(-3, 9).exp()

        before, mean, scale = standardised(x @ directions.transpose(1, 2), 1e-6)
        active, unit_mean, unit_scale = standardised(ramp(before + shift, width), 0.05)
        phi = torch.cat([active, x, x.new_ones(b, n, 1)], 2)
        precision = torch.cat([unit_precision, skip_precision, x.new_full((b, 1), 0.02)], 1)
        curvature = (phi * row_weights).transpose(1, 2) @ phi * 0.5 + torch.diag_embed(precision)
        factor = torch.linalg.cholesky(curvature)
        now = last = x.new_zeros(b, phi.shape[2], N_CLASSES)
        for t in range(HEAD_STEPS):
            ahead = now + (now - last) * (t / (t + 3))
            rest = (targets - (phi @ ahead).softmax(-1)) * row_weights
            slope = phi.transpose(1, 2) @ rest - precision[..., None] * ahead
            last, now = now, ahead + torch.cholesky_solve(slope, factor)
        now = now * numbers[:, :, 2:].exp()
        hidden = (ramp((query @ directions.transpose(1, 2) - mean) / scale + shift, width) - unit_mean) / unit_scale
        return torch.cat([hidden, query, query.new_ones(b, N_QUERY, 1)], 2) @ now


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Metamodel()
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.01)
    b, n, d = N_TASKS, N_SUPPORT, N_COLUMNS
    cells = torch.randn(b, n, d * N_CELL)
    labels = torch.randint(N_CLASSES, (b, n))
    task = (
        torch.randn(b, n, d), cells, cells.transpose(1, 2).contiguous(), torch.randn(b, n, N_LABEL),
        torch.randn(b, n, N_ROW), torch.randn(b, d, N_COLUMN), torch.randn(b, 1, N_GLOBAL),
        F.normalize(torch.randn(b, n, 2 * N_CLASSES), dim=1), F.one_hot(labels, N_CLASSES).float(),
        torch.randn(b, N_QUERY, d),
    )
    answers = torch.randint(N_CLASSES, (b, N_QUERY))

    def step():
        optimiser.zero_grad()
        loss = F.cross_entropy(model(task).flatten(0, 1), answers.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

    for _ in range(5):
        step()
    times = []
    for _ in range(30):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    typical = statistics.median(times)
    n_numbers = sum(p.numel() for p in model.parameters())
    print(f"PyTorch {torch.__version__}, {n_numbers} numbers: {typical * 1e3:.1f} ms a step, {b / typical:.0f} tasks/s")


if __name__ == "__main__":
    main()
