from . import training as training
from .bench import Bench as Bench
from .session import Recording as Recording, Session as Session

__version__: str
