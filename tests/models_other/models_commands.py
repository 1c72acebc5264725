"""Lines that clients of each model are known to send, with the shapes of their answers ("" for none).

The lines are those of PyMeasure 0.16, QCoDeS 0.58 and the manuals' own examples; they run in order, from
power-on settings.
"""

from __future__ import annotations

NR3 = r"[-+]?\d(\.\d+)?E[-+]\d\d"
NUMBER = r"[-+]?\d+(\.\d+)?(E[-+]\d\d)?"
FIVE = rf"{NR3}(,{NR3}){{4}}"
TSP_NUMBER = r"-?\d\.\d{5}e[-+]\d\d"
NO_ERROR = r'0,"No error"'

SCPI_COMMON = """
*IDN? -> .+,.+,.+,.+
*OPC? -> 1
*STB? -> \\d+
*ESR? -> \\d+
*ESE 32
*SRE 4
*ESE? -> 32
*SRE? -> 4
*OPC
*WAI
*CLS
SYST:ERR? -> {no_error}
:syst:err:next? -> {no_error}
*RST
"""
SOURCE_2400 = """
:FORMAT:ELEMENTS VOLTAGE, CURRENT, RESISTANCE, TIME, STATUS
:SOURCE:FUNCTION VOLT
:SOURCE:FUNCTION? -> VOLT
:SOUR:FUNC CURR;:SOUR:FUNC VOLT
:SOURCE:VOLTAGE 0.1
:SOURCE:VOLTAGE? -> {nr3}
:SOURCE:CURRENT 1e-6
:SOURCE:CURRENT? -> {nr3}
:SOURCE:VOLTAGE:RANGE 2
:SOURCE:VOLTAGE:RANGE:AUTO 1
:SOURCE:CURRENT:RANGE 1e-3
:SOURCE:CURRENT:RANGE:AUTO 0
:SOURCE:DELAY 0.01
:SENSE:CURRENT:PROTECTION 1e-3
:SENSE:CURRENT:PROTECTION? -> {nr3}
:SENSE:CURRENT:PROTECTION:TRIPPED? -> [01]
:SENSE:VOLTAGE:PROTECTION 2
:SENSE:VOLTAGE:PROTECTION? -> {nr3}
:SENSE:VOLTAGE:PROTECTION:TRIPPED? -> [01]
:SENSE:CURRENT:RANGE 1e-4
:SENSE:CURRENT:RANGE:AUTO 1
:SENSE:VOLTAGE:RANGE:AUTO 1
:SENSE:CURRENT:NPLCYCLES 0.1
:SENSE:VOLTAGE:NPLCYCLES? -> {number}
:SENSE:FUNCTION 'CURR'
:SENSE:FUNCTION "VOLT:DC","CURR:DC"
:SENSE:FUNCTION:ALL
:SENSE:RESISTANCE:MODE MAN
OUTPUT 1
OUTPUT? -> 1
:OUTP:STAT ON
:OUTPUT:SMODE HIMP
:READ? -> {five}
:MEASURE:CURRENT? -> {five}
:MEASURE:VOLTAGE? -> {five}
:MEASURE:RESISTANCE? -> {five}
:TRIGGER:COUNT 3
:TRIGGER:COUNT? -> 3
:ARM:COUNT 1
:ARM:COUNT? -> 1
:TRAC:CLEAR
:TRAC:POIN 3
:TRAC:FEED SENSE;:TRAC:FEED:CONT NEXT
:INIT
:TRAC:DATA? -> {nr3}(,{nr3}){{14}}
:ABOR
:ROUTE:TERMINALS REAR
:ROUTE:TERMINALS FRON
:SOUR:LIST:VOLT 0.1,0.2,0.1
:SOUR:LIST:VOLT:APP 0.3
:SOUR:VOLT:MODE LIST
:TRIG:COUN 4
:READ? -> {nr3}(,{nr3}){{19}}
:SOUR:VOLT:MODE SWE;:SOUR:VOLT:STAR 0;:SOUR:VOLT:STOP 1;:SOUR:VOLT:STEP 0.5;:TRIG:COUN 3
:READ? -> {nr3}(,{nr3}){{14}}
:SOUR:VOLT:MODE FIX
:FORM:DATA REAL
:FORM:DATA SREAL
:FORM:BORD SWAP
:FORM:DATA ASC
OUTPUT 0
"""
SOURCE_2450 = """
*LANG? -> SCPI
:stat:pres
:SOUR:FUNC VOLT
:SOUR:VOLT:LEV 0.1
:SOUR:VOLT? -> {nr3}
:SOUR:VOLT:RANG 2
:SOUR:VOLT:RANG:AUTO ON
:SOUR:VOLT:ILIM 1e-3
:SOUR:VOLT:ILIM:TRIP? -> [01]
:SOUR:CURR 1e-6
:SOUR:CURR:VLIM 2
:SOUR:CURR:VLIM:TRIP? -> [01]
:SENS:FUNC 'CURR'
:SENS:FUNC "CURR:DC"
SENS:FUNC? -> "CURR:DC"
:SENS:CURR:NPLC 0.1
:SENS:CURR:RANG:AUTO ON
:SENS:RES:RSENSE 0
SENS:VOLT:RSEN 0
SENS:CURR:RSEN OFF
OUTPUT ON
OUTPUT? -> 1
:OUTP 1
:READ? -> {nr3}
:MEASure? 'defbuffer1' -> {nr3}
:ROUT:TERM REAR
:ROUT:TERM FRON
:SOURce:SWEep:VOLTage:LINear 0, 1, 5, 0.01, 1, AUTO, OFF, OFF, 'defbuffer1'
:INIT
*WAI
*OPC? -> 1
:TRACe:DATA? 1, 5, 'defbuffer1' -> {nr3}(,{nr3}){{4}}
:TRACe:DATA? 1, 2, 'defbuffer1', SOUR, READ, REL -> {nr3}(,{nr3}){{5}}
:TRACe:CLEar
:SOUR:LIST:VOLT 0.1,0.2
:SOUR:LIST:VOLT:APPend 0.3
:SOUR:SWE:VOLT:LIST 1, 0.01
:INIT
*OPC? -> 1
:SOUR:FUNC CURR
:SOUR:LIST:CURR 1e-6,2e-6
:SOUR:SWE:CURR:LIST 1, 0.01
OUTP:VOLT:SMOD HIMP
OUTP:CURR:SMOD NORM
:SOUR:VOLT:PROT PROT2
:FORM:DATA ASC
:FORM:DATA REAL
:FORM:DATA SRE
:FORM:DATA ASC
:FORM:BORD NORM
"""
_PER_CHANNEL = """
smu{x}.source.func = smu{x}.OUTPUT_DCVOLTS
smu{x}.source.levelv = 0.1
smu{x}.source.leveli = 1e-4
smu{x}.source.limitv = 2
smu{x}.source.limiti = 1e-3
smu{x}.source.rangev = 1
smu{x}.source.rangei = 1e-3
smu{x}.source.autorangev = 1
smu{x}.source.autorangei = 0
smu{x}.source.output = 1
smu{x}.measure.nplc = 0.1
smu{x}.measure.rangei = 1e-3
smu{x}.measure.autorangei = 1
smu{x}.sense = smu{x}.SENSE_LOCAL
print(smu{x}.source.func) -> {tsp}
print(smu{x}.source.levelv) -> {tsp}
print(smu{x}.source.leveli) -> {tsp}
print(smu{x}.source.limitv) -> {tsp}
print(smu{x}.source.limiti) -> {tsp}
print(smu{x}.source.rangev) -> {tsp}
print(smu{x}.source.rangei) -> {tsp}
print(smu{x}.source.autorangev) -> {tsp}
print(smu{x}.source.autorangei) -> {tsp}
print(smu{x}.source.output) -> {tsp}
print(smu{x}.measure.nplc) -> {tsp}
print(smu{x}.measure.rangei) -> {tsp}
print(smu{x}.measure.autorangei) -> {tsp}
print(smu{x}.sense) -> {tsp}
print(smu{x}.measure.i()) -> {tsp}
print(smu{x}.measure.v()) -> {tsp}
print(smu{x}.measure.iv()) -> {tsp}\t{tsp}
print(smu{x}.source.compliance) -> true|false
print(status.measurement.instrument.smu{x}.condition) -> {tsp}
smu{x}.nvbuffer1.clear() smu{x}.nvbuffer1.appendmode = 1
smu{x}.measure.count = 3 smu{x}.measure.i(smu{x}.nvbuffer1)
print(smu{x}.nvbuffer1.n) -> 3.00000e.00
printbuffer(1, 3, smu{x}.nvbuffer1.readings) -> {tsp}(, {tsp}){{2}}
smu{x}.trigger.source.listv({{0.1, 0.2}}) smu{x}.trigger.source.action = smu{x}.ENABLE
smu{x}.trigger.count = 2 smu{x}.trigger.initiate() waitcomplete()
smu{x}.source.output = 0
"""
TSP_2602B = (
    """
*IDN? -> .*2602B.*
print(localnode.model) -> 2602B
print(localnode.linefreq) -> {tsp}
print(errorqueue.next()) -> 0.00000e.00\tQueue Is Empty\t.*
format.data = format.ASCII
format.asciiprecision = 6
"""
    + _PER_CHANNEL.replace("{x}", "a")
    + _PER_CHANNEL.replace("{x}", "b")
    + """
reset()
*RST
"""
)
PULSES_33522B = """
SOUR1:FUNC PULS
SOUR2:FUNCtion PULSe
SOUR1:FUNC:PULS:WIDT 1e-7
SOUR1:FUNC:PULS:PER 1e-5
SOUR1:FUNC:PULS:TRAN:BOTH 1e-8
SOURce1:FUNCtion:PULSe:WIDTh? -> {nr3}
SOUR1:VOLT:HIGH 0.3
SOUR1:VOLT:LOW 0
SOUR1:VOLT:OFFS 0.1
SOURce2:VOLTage:HIGH? -> {nr3}
OUTP1:LOAD 50
OUTPut2:LOAD INFinity
SOUR1:BURS:MODE TRIG
SOUR1:BURS:NCYC 3
SOUR1:BURS:STAT ON
TRIG1:SOUR BUS
OUTP1:POL INV
OUTP1:POL NORM
VOLT:LIM:HIGH 1
VOLT:LIM:LOW -1
VOLT:LIM:STAT ON
OUTP1 1
OUTP1? -> 1
OUTPut1:STATe? -> 1
*TRG;*WAI
OUTP1 0
"""
PULSES_81160A = """
:FUNC1 PULS
:PULS:PER1 1e-5
:PULS:WIDT1 1e-7
:FUNC1:PULS:TRAN 2e-9
:PULSE:WIDTH2? -> {nr3}
:VOLT1:HIGH 0.3
:VOLT1:LOW 0
:VOLT1:LIM:HIGH 1
:VOLT1:LIM:LOW -1
:VOLT1:LIM:STAT ON
:ARM:SOUR1 IMM
:ARM:SOUR1 INT2
:ARM:SOUR1 EXT
:ARM:SOUR1 MAN
:TRIG1:COUN 3
:BURS1:NCYC 2
:BURS1:MODE TRIG
:BURS1:STAT 0
OUTP1:POL INV
OUTP1:POL NORM
OUTP1 1
*TRG
OUTP1? -> 1
OUTP1 0
"""
MATRIX_2700 = """
*OPT? -> 7709,NONE
ROUTe:MULTiple:CLOSe (@101,110)
ROUTe:MULTiple:CLOSe? -> \\(@101,110\\)
ROUTe:MULTiple:OPEN (@101)
ROUTe:MULTiple:STATe? (@101,110) -> 0, 1
:ROUTe:OPEN:ALL
ROUT:MULT:CLOS? -> \\(@\\)
"""
MATRIX_707B = """
*IDN? -> .*707B.*
channel.close('1A01')
channel.exclusiveclose('1A02,1B03')
print(channel.getclose('allslots')) -> 1A02;1B03
channel.open('allslots')
print(channel.getclose('allslots')) -> nil
channel.connectrule = channel.BREAK_BEFORE_MAKE
channel.setforbidden('1H12')
print(slot[1].idn) -> .+
print(errorqueue.next()) -> 0.00000e.00\tQueue Is Empty\t.*
reset()
"""
SERIAL = """
*IDN? -> .+
CLOSE 1,2 -> OK
CLOSE 3,4 -> OK
STATE? -> 1,2;3,4
OPEN 1,2 -> OK
ONLY 5,6 -> OK
STATE? -> 5,6
OPENALL -> OK
CLOSE 99,0 -> ERR 2 .+
ERR? -> 2 .+
ERR? -> 0 .*
"""
SAID = {
    "2400": SCPI_COMMON + SOURCE_2400,
    "2450": SCPI_COMMON + SOURCE_2450,
    "2602B": TSP_2602B,
    "33522B": SCPI_COMMON + PULSES_33522B,
    "81160A": SCPI_COMMON + PULSES_81160A,
    "2700": SCPI_COMMON + MATRIX_2700,
    "707B": MATRIX_707B,
    "serial-matrix": SERIAL,
}
SHAPES = {"no_error": NO_ERROR, "nr3": NR3, "number": NUMBER, "five": FIVE, "tsp": TSP_NUMBER}
