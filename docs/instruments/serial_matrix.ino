// Firmware of labtrain's serial switch matrix: 8 rows x 32 columns of latching-free reed relays.
//
// A sketch for Arduino-type boards (compiles for AVR and SAMD; not run on hardware by labtrain's own tests).
// Relays hang on 32 cascaded 74HC595 shift registers with ULN2803 drivers: relay (row, column) is bit
// 32 * row + column. OE of the registers is pulled high by a resistor, so that relays stay open until the
// firmware has written zeros; cut the board's DTR-to-reset trace, or every opening of the port drops them.

#include <Arduino.h>
#include <SPI.h>

const byte ROWS = 8, COLUMNS = 32, LATCH = 10, ENABLE = 9, LONGEST = 64;
const unsigned long WATCHDOG_MS = 60000, SETTLE_MS = 1;

byte coils[ROWS][COLUMNS / 8];
char line[LONGEST + 1];
byte length = 0;
bool tooLong = false;
byte lastError = 0;
unsigned long lastLine = 0;

const char *text(byte error) {
  switch (error) {
    case 1: return "unknown command";
    case 2: return "rows are 0-7, columns 0-31";
    case 3: return "expected row,column";
    case 7: return "watchdog opened all relays";
    default: return "no error";
  }
}

void drive() {
  digitalWrite(LATCH, LOW);
  for (int row = ROWS - 1; row >= 0; row--)
    for (int group = COLUMNS / 8 - 1; group >= 0; group--) SPI.transfer(coils[row][group]);
  digitalWrite(LATCH, HIGH);
}

void openAll() {
  memset(coils, 0, sizeof coils);
  drive();
}

bool anyClosed() {
  for (byte row = 0; row < ROWS; row++)
    for (byte group = 0; group < COLUMNS / 8; group++)
      if (coils[row][group]) return true;
  return false;
}

void answer(byte error) {
  if (!error) { Serial.print("OK\n"); return; }
  lastError = error;
  Serial.print("ERR "); Serial.print(error); Serial.print(' '); Serial.print(text(error)); Serial.print('\n');
}

// Reads "r,c" to the end of the text; 3 for another shape, 2 for a relay that is not there.
byte crosspoint(const char *from, byte &row, byte &column) {
  char *end;
  long r = strtol(from, &end, 10);
  if (end == from || *end != ',') return 3;
  from = end + 1;
  long c = strtol(from, &end, 10);
  while (*end == ' ') end++;
  if (end == from || *end) return 3;
  if (r < 0 || r >= ROWS || c < 0 || c >= COLUMNS) return 2;
  row = r; column = c;
  return 0;
}

void state() {
  bool first = true;
  for (byte row = 0; row < ROWS; row++)
    for (byte column = 0; column < COLUMNS; column++)
      if (coils[row][column / 8] & (1 << (column % 8))) {
        if (!first) Serial.print(';');
        first = false;
        Serial.print(row); Serial.print(','); Serial.print(column);
      }
  Serial.print('\n');
}

void set(byte row, byte column, bool closed) {
  byte mask = 1 << (column % 8);
  if (closed) coils[row][column / 8] |= mask; else coils[row][column / 8] &= ~mask;
  drive();
}

void withCrosspoint(const char *rest, char verb) {
  byte row, column, error = crosspoint(rest, row, column);
  if (error) { answer(error); return; }
  if (verb == '1') { openAll(); delay(SETTLE_MS); }   // ONLY: break before make
  set(row, column, verb != '0');
  answer(0);
}

void obey() {
  if (!strcasecmp(line, "*IDN?")) Serial.print("LABTRAIN,SERIAL-MATRIX,0,1.0\n");
  else if (!strcasecmp(line, "STATE?")) state();
  else if (!strcasecmp(line, "PING")) answer(0);
  else if (!strcasecmp(line, "OPENALL")) { openAll(); answer(0); }
  else if (!strcasecmp(line, "ERR?")) {
    Serial.print(lastError); Serial.print(' '); Serial.print(text(lastError)); Serial.print('\n');
    lastError = 0;
  }
  else if (!strncasecmp(line, "CLOSE ", 6)) withCrosspoint(line + 6, '+');
  else if (!strncasecmp(line, "OPEN ", 5)) withCrosspoint(line + 5, '0');
  else if (!strncasecmp(line, "ONLY ", 5)) withCrosspoint(line + 5, '1');
  else answer(1);
}

void setup() {
  pinMode(LATCH, OUTPUT);
  pinMode(ENABLE, OUTPUT);
  digitalWrite(ENABLE, HIGH);
  SPI.begin();
  openAll();
  digitalWrite(ENABLE, LOW);   // only now: zeros are in the registers
  Serial.begin(115200);
}

void loop() {
  while (Serial.available()) {
    char c = Serial.read();
    if (c == '\n') {
      line[length] = 0;
      lastLine = millis();
      if (tooLong) answer(1); else if (length) obey();
      length = 0; tooLong = false;
    } else if (c != '\r') {
      if (length < LONGEST) line[length++] = c; else tooLong = true;
    }
  }
  if (anyClosed() && millis() - lastLine > WATCHDOG_MS) { openAll(); lastError = 7; }
}
