"""A TFLite file of one convolution, made by tests/tflite/tflite_writer.py; stored, so that its package is not needed.

Its input has 12 elements, its output 16.
"""

from __future__ import annotations

import base64
import zlib

_STORED = (
    "c-oU;U|<Mw^D!1-"
    "kYSKu5MdBt;9=lk009;tj{zvgz%T)bk1#SYoB`q%Rt5%UARovC%QG<WA?acP@*sc*DsKS9>_A+cT2z*qmk!p)0>lsg|NjqTgK&On"
    "2}mhe9;BB8Y$6NPEf6&zdo%M4z_bBSVGLA!6VNOW?Eu6J{{8=-"
    "1f<=8@(=$0|G($Y|Nq~C^4Ec4u|WP0CI*JPK)x5y5J#Zc9H6?lK>QOZ<^aSD3~XR~*`Q`00Al}X>-"
    "MhqjT7yjdG)>g?;|S>Z93<Ed6LZX=AD+<T3g2w&y$zb)QsXz7c@?(EIhm9Vt0zB*#4gz-F|i)G-"
    "Z8oaE6Q~YhLbF8N~x<|Jt3lRNwJ9BwV9Oe^*fEyHcksiH~PXL~1-u|NVH`c4ME@it)>ivk5$Vwoo>2v(LI7`}Gc21q-"
    "r&Z9Nbvz9y-"
    "xLZMQcp+eg8x>sc%=l#BEM>m;oSBU<<aN?O)|IS4Umgk$cZ@1?zG!5!Iqo;IlrTBDhU+sx(EDS90a4tzLE@426KSaDk;twP)1H?5"
    "z+yKNaP`$Z{nR)1XrJ#Dbp?Vb{(Z#3%By<>HfD5RGA8bAsR6iqB9gNKkRmsGFNMA_m!1gZyN?HK11S5q14;a@XP(4qe+Cg;DUr;<"
    "UfYVL~5DPF2JOH`jfv$kn1KkN$7hG;wk;4Z0v&0w@CIU!tCk)Olh`3`!ga;>xZu&Pk!z04d#3sUWiw%=DyDd3vaCjI&(t-"
    "d|x?w>om-xZ{hJ=j(v^)ZZ3y7Ze9}zABP`#{B_kq|;3ijH8?J$IxiJT^3;V*_}hYAq8K<$9gLQu7ca#aXw2eQ4uBnt*0_SrK&wqS"
    "b=5cVSb4Q4+NlHEK=YCuc?(e3Ss"
)


def small_model() -> bytes:
    """The file."""
    return zlib.decompress(base64.b85decode("".join(_STORED)))
