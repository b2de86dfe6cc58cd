"""Train the texture networks that come with the package, in nst_tutorial/data/networks.

    python images/train_generators.py [tissue_stain] [stained_glass] [starry_night_painter]

Without a name: all of them, each some minutes on a quiet processor core. An interrupted training
goes on when it is started again. The same machine, versions and number of threads give the same
file; others give one that is as good. What made a generator is inside its file, with the style
distance that a test reproduces.
"""

import sys
from pathlib import Path

import nst_tutorial as nst

FOLDER = Path(nst.__file__).parent / "data" / "networks"
STYLE_SIZE, SAMPLE_SIZE = 256, 256
CONTENTS = ("temple", "astronaut", "cat", "coffee")
CONTENT_SIZES = (256, 384)
MEASURED_ON = "temple"  # for a network that repaints

# Small pictures first; then pictures as large as they will be asked for, which have less border.
SMALL = {"size": 128, "batch": 2, "steps": 300, "learning_rate": 0.01}
LARGE = {"size": 256, "batch": 1, "steps": 60, "learning_rate": 0.003, "seed": 1}
LONGER = {"size": 256, "batch": 1, "steps": 250, "learning_rate": 0.006, "seed": 2}
LONGEST = {"size": 256, "batch": 1, "steps": 1200, "learning_rate": 0.008, "seed": 3}
# With the default style weight a painter leaves too little of its content.
READABLE = {"size": 160, "batch": 1, "steps": 250, "learning_rate": 0.006, "seed": 1,
            "style_weight": 4.0}  # fmt: skip

# name → style, whether it repaints pictures, its trainings one after the other
RECIPES = {
    "tissue_stain": ("tissue_stain", False, [SMALL, LARGE, LONGER, LONGEST]),
    "stained_glass": ("stained_glass", False, [SMALL, LARGE, LONGER]),
    "starry_night_painter": ("starry_night", True, [SMALL, READABLE]),
}


def show_progress(progress) -> None:
    if progress.evaluation % 20 == 0 or progress.evaluation == progress.steps:
        print(f"{progress.evaluation}/{progress.steps} at {progress.size[0]} px: "
              f"{progress.total:.4g}, {progress.seconds:.0f} s", flush=True)  # fmt: skip


def train(name: str) -> None:
    style_name, stylizes, phases = RECIPES[name]
    style = nst.load_image(style_name, STYLE_SIZE, kind="style")
    contents = [
        nst.load_image(content, size, kind="content")
        for content in CONTENTS
        for size in CONTENT_SIZES
    ]
    generator = nst.Generator(stylizes=stylizes)
    checkpoints = []
    for number, options in enumerate(phases, 1):
        checkpoints.append(FOLDER / f"{name}.{number}.training")
        found = nst.train_generator(
            generator, style, contents if stylizes else (), device="cpu",
            checkpoint=checkpoints[-1], callback=show_progress, **options,
        )  # fmt: skip
        if found.stopped is not None:
            sys.exit(f"{name}: {found.stopped}")
    content = nst.load_image(MEASURED_ON, SAMPLE_SIZE, kind="content") if stylizes else None
    image = generator.sample(SAMPLE_SIZE, seed=0, content=content)
    distance = nst.style_distance(image, style, device="cpu")
    generator.settings |= {
        "style": style_name, "trainings": phases, "sample_size": SAMPLE_SIZE,
        "style_distance": distance, "made_by": f"python images/train_generators.py {name}",
        **({"content": MEASURED_ON, "contents": list(CONTENTS)} if stylizes else {}),
    }  # fmt: skip
    nst.save_generator(generator, FOLDER / f"{name}.safetensors")
    for checkpoint in checkpoints:
        checkpoint.unlink()
    print(f"{name}: style distance {distance:.4f}")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or RECIPES:
        train(name)
