from .afd.calibration import Calibration as Calibration, calibrate as calibrate
from .afd.device_neurons import DeviceNeurons as DeviceNeurons
from .afd.estimators import SlopeEstimator as SlopeEstimator, make_estimator as make_estimator
from .checkpoints import checkpoint as checkpoint, read_checkpoint as read_checkpoint
from .recipes import Context as Context, Recipe as Recipe, describe_recipes as describe_recipes
from .settings import Setting as Setting
