"""Lines that other people's programs send beside those of :mod:`models_commands`, in the same notation.

Collected from SweepMe's drivers, EUDAQ's and users' scripts; each list runs in order, from power-on settings.
"""

from __future__ import annotations

MORE = {
    "2400": """
SYST:BEEP:STAT OFF
SYST:LOC
SYST:REM
SYST:MEP:STAT? -> 1
:SENS:CURR:DC:NPLC 1
SYST:RSEN ON
SYST:RSEN OFF
:SENS:AVER:TCON REP
:SENSe:AVER:COUN 10
CURR:PROT:LEV? MIN -> {number}
CURR:PROT:LEV? MAX -> {number}
CURR:PROT 1e-3
:SENS:CURR:PROT? -> {nr3}
:SENS:RES:OCOM OFF
:SYST:TIME:RES:AUTO ON
:SYST:GUAR OHMS
:SYST:POS RST
:DISP:DIG 5
:DISP:CND
:DISP:TEXT:DATA "hello; world"
:DISP:TEXT:STAT ON
:DISP:WIND2:TEXT:DATA 'below'
:DISP:WIND2:TEXT:DATA? -> "below"
:TRAC:FEED SENS1
:TRAC:FREE? -> \\d+, 0
:DATA:CLE
:DATA:POIN 10
:DATA:POIN? -> 10
:STAT:MEAS:EVEN? -> 0
:STAT:MEAS:COND? -> 0
:STAT:OPER:COND? -> 1024
:STAT:QUES? -> 0
:STAT:QUE? -> {no_error}
:STAT:QUE:CLE
:CALC:STAT OFF
:FORM:SREG ASC
:OUTP:ENAB:STAT OFF
:CONF? -> "CURR"
:SYST:ERR:CODE? -> 0
:SYST:ERR:CODE:ALL? -> 0
:SYST:PRES
""",
    "2450": """
STAT:CLE
:SOUR:VOLT:ILIM 2e-3
:TRIG:LOAD "Empty"
:TRIG:LOAD 'SimpleLoop', 5, 0.01, "defbuffer1"
:OUTP ON
:INIT
*WAI
:TRAC:ACT? -> 5
:TRAC:DATA? 1, 5, "defbuffer1", READ, REL -> {nr3}(,{nr3}){{9}}
:TRIG:LOAD "DurationLoop", 0.1, 0
:INIT;*OPC? -> 1
:TRAC:MAKE "mine", 100
:TRAC:TRIG "mine"
:TRAC:DATA? 1, 1, "mine", SOUR, READ, REL -> {nr3}(,{nr3}){{2}}
:TRAC:ACT:STAR? "mine" -> 1
:TRAC:ACT:END? "mine" -> 1
:TRAC:DEL "mine"
:TRAC:FILL:MODE CONT, "defbuffer1"
:TRAC:FILL:MODE? -> CONT
:TRAC:STAT:CLE
CURR:NPLC 1
CURR:NPLC? -> {number}
VOLT:RANG:AUTO ON
:SENS:CURR:RANG:AUTO:LLIM 1e-8
:SENS:CURR:UNIT AMP
:SENS:RES:OCOM OFF
:SENS:CURR:REL:STAT OFF
:SENS:AZER:ONCE
:SOUR:VOLT:HIGH:CAP OFF
:SOUR:VOLT:PROT:TRIP? -> 0
:SOUR:SWE:VOLT:LOG 1, 10, 5, 0.01
:INIT;*WAI
:TRAC:ACT? -> 5
:SOUR:SWE:VOLT:LIN:STEP 0, 1, 0.1, 0.01
:INIT;*WAI
:TRAC:ACT? -> 11
:SYST:ACC FULL
:SYST:EVEN:COUN? ERR -> 0
:SYST:EVEN:NEXT? -> {no_error}
:DISP:CLE
:DISP:USER1:TEXT "abc"
:DISP:SCR SWIPE_USER
:DISP:CURR:DIG 6
:DISP:READ:FORM PREF
:STAT:OPER:COND? -> 0
:STAT:QUES:EVEN? -> 0
:STAT:QUES:ENAB 1
:CALC:VOLT:MATH:STAT OFF
""",
    "33522B": """
APPL:PULS 1 KHZ, 1 VPP, 0 V
APPL? -> "PULS [+]1.0+E[+]03,[+]\\d.\\d+E[+-]\\d\\d,[+-]0.0+E[+]00"
VOLT 500 MVPP
VOLT? -> {number}
VOLT:COUP OFF
VOLT:RANG:AUTO ONCE
AM:STAT OFF
SOUR2:SWE:STAT OFF
SUM:STAT OFF
SOUR1:FREQ:COUP:STAT OFF
SOUR1:TRAC OFF
SOUR1:COMB:FEED NONE
OUTP:SYNC:MODE NORM
OUTP:TRIG:SLOP POS
OUTP1:MODE NORM
UNIT:ANGL DEG
ROSC:SOUR INT
ROSC:SOUR? -> INT
SYST:BEEP:STAT OFF
SYST:LOC
FORM:BORD NORM
STAT:QUES:COND? -> 0
STAT:OPER:ENAB 32
OUTP1 OFF
""",
    "81160A": """
:VOLT1:RANG:AUTO ON
:PULS:TDEL1 0
:FUNC1:PULS:DEL 1e-9
:FUNC1:PULS:HOLD WIDT
:BURS1:PHAS 0
:ARM:SENS1 EDGE
:ARM:SLOP1 POS
:ARM:PER1 1e-3
:ARM:LEV 1
:TRIG:SOUR1 IMM
:AM1:STAT OFF
:SWE2:STAT OFF
:OUTP1:COMP OFF
:DIG1:PATT OFF
:APPL1? -> "SIN .+,.+,.+"
:UNIT:ANGL DEG
:ROSC:SOUR INT
:SYST:KLOC OFF
:SYST:WARN:COUN? -> 0
:SYST:BEEP:STAT OFF
:STAT:OPER:COND? -> 0
*OPT? -> .+
""",
    "2700": """
SENS:VOLT:NPLC 1
SENS:VOLT:DC:NPLC? -> {number}
SENS:VOLT:RANG 10
SENS:VOLT:RANG:AUTO ON
SENS:VOLT:AVER:STAT OFF
SENS:VOLT:DIG 6
TRIG:COUN 1
TRIG:SOUR IMM
TRIG:DEL:AUTO ON
SAMP:COUN 1
FORM:DATA ASC
CONF:VOLT
CONF? -> "VOLT"
SYST:BEEP:STAT OFF
SYST:AZER:STAT ON
SYST:LFR? -> 50
SYST:LOC
SYST:TST:TYPE REL
DISP:ENAB ON
UNIT:TEMP C
STAT:MEAS? -> 0
STAT:OPER:COND? -> 0
ROUT:SCAN:LSEL NONE
READ? -> {number}
""",
    "2602B": """
smua.reset()
errorqueue.clear()
smua.measure.autozero = smua.AUTOZERO_ONCE
smua.measure.filter.type = smua.FILTER_REPEAT_AVG
smua.measure.lowrangei = 1e-8
display.smua.measure.func = display.MEASURE_DCAMPS
display.screen = display.SMUA_SMUB
display.smua.digits = display.DIGITS_6_5
beeper.enable = beeper.OFF
localnode.prompts4882 = 0
print(localnode.revision) -> .+
smua.nvbuffer1.fillmode = smua.FILL_ONCE
smua.nvbuffer2.fillcount = 10
smua.measure.delayfactor = 1.0
smua.source.settling = smua.SETTLE_FAST_RANGE
smua.source.output = smua.OUTPUT_ON
smua.measure.count = 3
smua.nvbuffer1.collectsourcevalues = 1
smua.measure.overlappediv(smua.nvbuffer1, smua.nvbuffer2) waitcomplete()
print(smua.nvbuffer1.n) -> 3.00000e.00
print(smua.nvbuffer1[1], smua.nvbuffer1.readings[3]) -> {tsp}\t{tsp}
print(smua.nvbuffer1[4]) -> nil
smua.measure.count = 1
print(string.format("%.3e %d", smua.source.levelv, 7)) -> 0.000e.00 7
function twice(x) return 2 * x end
print(twice(21)) -> 4.20000e.01
SweepVLinMeasureI(smua, 0, 1, 0.001, 5)
printbuffer(1, smua.nvbuffer1.n, smua.nvbuffer1.sourcevalues) -> .*, 1.00000e.00
SweepVListMeasureI(smua, {0, 0.1, 0.2}, 0.001, 3)
smua.trigger.source.logv(0.1, 1, 11, 0)
smua.trigger.measure.stimulus = smua.trigger.SOURCE_COMPLETE_EVENT_ID
smua.trigger.autoclear = smua.ENABLE
dataqueue.clear()
eventlog.clear()
collectgarbage()
opc()
""",
    "707B": """
channel.reset('allslots')
channel.connectsequential = channel.OFF
localnode.showerrors = 0
localnode.prompts = 0
dataqueue.clear()
beeper.enable = beeper.ON
beeper.beep(0.2, 2400)
print(slot[1].rows.matrix, slot[1].columns.matrix) -> 8.00000e.00\t1.20000e.01
opc()
""",
}
