"""Image data sets: found where you put them or fetched from official mirrors, checked, never guessed."""

from labtrain.training.datasets.cifar import load_cifar10
from labtrain.training.datasets.idx import FILES, load_images, read_idx
from labtrain.training.datasets.images import Images, in_unit_range

__all__ = ["FILES", "Images", "in_unit_range", "load_cifar10", "load_images", "read_idx"]
