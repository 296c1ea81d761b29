from ._comparison import Comparison as Comparison
from ._comparison import compare as compare
from ._estimators import ExpectedPerformance as ExpectedPerformance
from ._estimators import WeightsmithClassifier as WeightsmithClassifier
from ._estimators import WeightsmithRegressor as WeightsmithRegressor
from ._samples import load_sample as load_sample

__version__: str
__all__: list[str]
