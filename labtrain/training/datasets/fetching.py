"""Data sets from their official mirrors: into the user cache, accepted by checksum only.

Checksums are those that the data sets' own pages and torchvision state: MNIST (LeCun, Cortes, Burges; its
authors' server no longer answers), Fashion-MNIST (github.com/zalandoresearch/fashion-mnist), CIFAR-10
(www.cs.toronto.edu/~kriz/cifar.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CONNECT_SECONDS, READ_SECONDS = 5.0, 60.0


@dataclass(frozen=True)
class Source:
    """Where one data set comes from.

    Attributes
    ----------
    mirrors
        Base addresses, tried in turn.
    files
        Name to checksum, as ``"md5:..."`` or ``"sha256:..."``.
    members
        What is unpacked of an archive; empty: the files are taken as they are.
    """

    mirrors: tuple[str, ...]
    files: Mapping[str, str]
    members: tuple[str, ...] = ()


SOURCES: dict[str, Source] = {
    "mnist": Source(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        {
            "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "fashion-mnist": Source(
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        {
            "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
    "cifar10": Source(
        ("https://www.cs.toronto.edu/~kriz/",),
        {"cifar-10-binary.tar.gz": "md5:c32a1d4ab5d03f1284b67883e8d87530"},
        (
            *(f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)),
            "cifar-10-batches-bin/test_batch.bin",
        ),
    ),
}


def fetch(source: Source, folder: Path) -> list[str]:
    """Fetch a data set's files into ``folder``; return why each mirror that failed did.

    A file whose checksum is not the stated one is not kept.
    """
    from requests import ConnectionError, Timeout

    reasons: list[str] = []
    for mirror in source.mirrors:
        try:
            _fetch_from(mirror, source, folder)
        except (ConnectionError, Timeout):
            reasons.append(f"{mirror} cannot be reached")
        except ValueError:  # pooch's, of a checksum
            reasons.append(f"{mirror} gave a file with another checksum")
        except OSError as error:  # requests' other errors too
            reasons.append(f"{mirror}: {error}")
        else:
            break
    return reasons


def _fetch_from(mirror: str, source: Source, folder: Path) -> None:
    import pooch

    files = pooch.create(path=folder, base_url=mirror, registry=dict(source.files))
    download = pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS))
    unpack = pooch.Untar(members=list(source.members), extract_dir=".") if source.members else None
    for name in source.files:
        files.fetch(name, processor=unpack, downloader=download)
