"""The networks of autoqc in PyTorch, timed on the CPU: realtime.py network|training|published JSON PASSES SIDE

The realtime U-Net of Sources/Networks/RealtimeUNet.swift, one pass of 1280 x 800 and one training step of crops of 192 x 192; the
published pDDPM U-Net of Sources/Networks/UNet.swift, one pass of 192 x 192 and, as `published`, one training step. SIDE is how
PyTorch runs them: `eager` in the usual layout, `channels-last`, `compiled` (channels last, too), `bf16` and `bf16-compiled`
(channels last under autocast); the first three are float32. BATCH is the number of crops (default 8). QUICK=1 takes a small
published network: whether it runs, not how fast. Prints and writes figures of the names and units of `autoqc measure`.
"""

import json
import math
import os
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


def features(timesteps, length):
    """Sinusoids of the timestep, cosines first."""
    half = length // 2
    rates = torch.exp(-math.log(10_000) * torch.arange(half) / half)
    angles = timesteps[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class Residual(nn.Module):
    def __init__(self, channels, embedding):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.embedding = nn.Linear(embedding, channels)

    def forward(self, x, time):
        inner = F.silu(self.first(x) + self.embedding(time)[:, :, None, None])
        return F.silu(x + self.second(inner))


class Realtime(nn.Module):
    def __init__(self, cell=4, channels=(24, 48, 64), blocks=(1, 1, 2), embedding=128):
        super().__init__()
        self.cell, self.length, depth = cell, embedding, cell * cell
        level = lambda i: nn.ModuleList(Residual(channels[i], embedding) for _ in range(blocks[i]))
        self.time = nn.Linear(embedding, embedding)
        self.stem = nn.Conv2d(depth, channels[0], 3, padding=1)
        self.down = nn.ModuleList(level(i) for i in range(3))
        self.halving = nn.ModuleList(nn.Conv2d(channels[i], channels[i + 1], 3, 2, 1) for i in range(2))
        self.doubling = nn.ModuleList(nn.Conv2d(channels[i + 1], channels[i], 1) for i in range(2))
        self.up = nn.ModuleList(level(i) for i in range(2))
        self.exit = nn.Conv2d(channels[0], depth, 3, padding=1)

    def forward(self, x, timesteps):
        time = F.silu(self.time(features(timesteps, self.length)))
        x = F.silu(self.stem(F.pixel_unshuffle(x, self.cell)))
        skips = []
        for i in range(3):
            if i:
                x = F.silu(self.halving[i - 1](x))
            for block in self.down[i]:
                x = block(x, time)
            if i < 2:
                skips.append(x)
        for i in (1, 0):
            x = F.interpolate(self.doubling[i](x), scale_factor=2, mode="nearest") + skips[i]
            for block in self.up[i]:
                x = block(x, time)
        return F.pixel_shuffle(self.exit(x), self.cell)


class Block(nn.Module):
    """GroupNorm, SiLU and a convolution, twice; the embedding is scale and shift of the second norm."""

    def __init__(self, inputs, outputs, embedding, resampling=None):
        super().__init__()
        self.norms = nn.ModuleList([nn.GroupNorm(32, inputs), nn.GroupNorm(32, outputs)])
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.embedding = nn.Linear(embedding, 2 * outputs)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        self.resample = {
            None: lambda x: x,
            "halving": lambda x: F.avg_pool2d(x, 2),
            "doubling": lambda x: F.interpolate(x, scale_factor=2, mode="nearest"),
        }[resampling]

    def forward(self, x, time):
        inner = self.first(self.resample(F.silu(self.norms[0](x))))
        scale, shift = self.embedding(time)[:, :, None, None].chunk(2, dim=1)
        inner = self.second(F.silu(self.norms[1](inner) * (1 + scale) + shift))
        return self.skip(self.resample(x)) + inner


class Attention(nn.Module):
    def __init__(self, channels, head=64):
        super().__init__()
        self.head, self.norm = head, nn.GroupNorm(32, channels)
        self.entrance, self.exit = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x):
        n, c, h, w = x.shape
        rows = self.norm(x).permute(0, 2, 3, 1).reshape(n, h * w, c)
        split = self.entrance(rows).reshape(n, h * w, c // self.head, 3, self.head).permute(3, 0, 2, 1, 4)
        attended = F.scaled_dot_product_attention(split[0], split[1], split[2])
        rows = self.exit(attended.transpose(1, 2).reshape(n, h * w, c))
        return x + rows.reshape(n, h, w, c).permute(0, 3, 1, 2)


class Published(nn.Module):
    def __init__(self, channels=128, multipliers=(1, 2, 2), blocks=3):
        super().__init__()
        self.channels, length = channels, 4 * channels
        self.time = nn.Sequential(nn.Linear(channels, length), nn.SiLU(), nn.Linear(length, length), nn.SiLU())
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        levels, widths = [channels * m for m in multipliers], [channels]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, outputs in enumerate(levels):
            for _ in range(blocks):
                self.down.append(Block(widths[-1], outputs, length))
                widths.append(outputs)
            if i < len(levels) - 1:
                self.down.append(Block(outputs, outputs, length, "halving"))
                widths.append(outputs)
        width = widths[-1]
        self.middle = nn.ModuleList([Block(width, width, length), Attention(width), Block(width, width, length)])
        for i, outputs in reversed(list(enumerate(levels))):
            for j in range(blocks + 1):
                stage = nn.ModuleList([Block(width + widths.pop(), outputs, length)])
                if i and j == blocks:
                    stage.append(Block(outputs, outputs, length, "doubling"))
                self.up.append(stage)
                width = outputs
        self.norm, self.exit = nn.GroupNorm(32, width), nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, x, timesteps):
        time = self.time(features(timesteps, self.channels))
        skips = [self.stem(x)]
        for block in self.down:
            skips.append(block(skips[-1], time))
        first, attention, second = self.middle
        x = second(attention(first(skips[-1], time)), time)
        for stage in self.up:
            x = stage[0](torch.cat([x, skips.pop()], dim=1), time)
            for doubling in stage[1:]:
                x = doubling(x, time)
        return self.exit(F.silu(self.norm(x)))


def loss(prediction, noisy, weights, window):
    """0.5 DSSIM + 0.5 |difference| on the weighted pixels of images in [0, 1]."""
    clean, found = 0.5 * (noisy + 1), 0.5 * (prediction + 1)
    mean = lambda x: F.conv2d(x, window, padding=2)
    m1, m2 = mean(clean), mean(found)
    v1, v2 = mean(clean * clean) - m1 * m1, mean(found * found) - m2 * m2
    both = mean(clean * found) - m1 * m2
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * m1 * m2 + c1) * (2 * both + c2) / ((m1 * m1 + m2 * m2 + c1) * (v1 + v2 + c2))
    pixels = 0.5 * (1 - similarity).clamp(0, 1) / 2 + 0.5 * (clean - found).abs()
    return (pixels * weights).sum() / weights.sum()


def trainer(network, batch=8, crop=192, patch=64):
    """A step of the realtime network counts every second patch; of the published one the upper left patch."""
    noisy = 2 * torch.rand(batch, 1, crop, crop) - 1
    board = torch.arange(crop) // patch
    chosen = (board[:, None] + board) % 2 == 0 if crop // patch > 2 else (board[:, None] + board) == 0
    weights = chosen.float().expand(batch, 1, crop, crop)
    distances = torch.exp(-((torch.arange(5) - 2.0) ** 2) / (2 * 1.5**2))
    window = torch.outer(distances, distances)[None, None] / distances.sum() ** 2
    timesteps, adam = 10 * torch.arange(batch), torch.optim.Adam(network.parameters(), lr=1e-4)

    def step():
        adam.zero_grad(set_to_none=True)
        loss(network(noisy, timesteps), noisy, weights, window).backward()
        adam.step()

    return step


SIDES = ("eager", "channels-last", "compiled", "bf16", "bf16-compiled")


def sided(network, side):
    """A network as one of SIDES runs it; bf16 is autocast, channels last."""
    if side != "eager":
        network = network.to(memory_format=torch.channels_last)
    if side.endswith("compiled"):
        network = torch.compile(network)
    if not side.startswith("bf16"):
        return network

    def mixed(x, timesteps):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return network(x, timesteps).float()

    mixed.parameters = network.parameters
    return mixed


def main():
    group, path, passes, side = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    if side not in SIDES:
        sys.exit(f"'{side}' is none of {', '.join(SIDES)}")
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(1)
    batch = int(os.environ.get("BATCH", "8"))
    entries = []

    def note(name, values, unit):
        values = sorted(values)
        median, p90 = values[len(values) // 2], values[min(len(values) * 9 // 10, len(values) - 1)]
        entries.append({"name": name, "side": side, "median": median, "p90": p90, "unit": unit})
        print(f"torch {side} {name} {median:.3f} {p90:.3f} {unit}", flush=True)

    def measure(name, body, unit="s", scale=1):
        times, work = [], []
        for _ in range(passes + 1):  # the first pass makes plans and buffers
            start, busy = time.perf_counter(), time.process_time()
            body()
            times.append(scale * (time.perf_counter() - start))
            work.append(scale * (time.process_time() - busy))
        note(name, times[1:], unit)
        if unit == "s":
            note(f"{name} processor time", work[1:], unit)

    def measure_pass(name, network, height, width):
        network = sided(network.eval(), side)
        image, timesteps = torch.full((1, 1, height, width), 0.5), torch.tensor([49])
        with torch.inference_mode():
            measure(name, lambda: network(image, timesteps))

    if group == "network":
        measure_pass("pddpm pass", Published(), 192, 192)
        measure_pass("realtime pass", Realtime(), 800, 1280)
    elif group == "training":
        measure("training bare step", trainer(sided(Realtime(), side), batch), "ms", 1000)
    else:
        quick = os.environ.get("QUICK") == "1"
        size, crop, patch = ((32, (1, 2, 2), 1), 48, 24) if quick else ((128, (1, 2, 2), 3), 192, 96)
        measure("published step", trainer(sided(Published(*size), side), batch, crop, patch))
        note("published peak memory", [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024], "MiB")
    with open(path, "w") as file:
        json.dump(entries, file, indent=2)


if __name__ == "__main__":
    main()
