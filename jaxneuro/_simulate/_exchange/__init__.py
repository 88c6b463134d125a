"""A solution as other libraries hold it: xarray, pandas, Neo and NWB. Each is imported when it is asked for."""

from ._neo import as_neo as as_neo
from ._nwb import write_nwb as write_nwb
from ._pandas import as_pandas as as_pandas
from ._xarray import as_xarray as as_xarray
