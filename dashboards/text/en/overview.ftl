counters = Outlets by state
alarms-unanswered = unanswered
outlets = Outlets
outlets-count = { $count ->
    [one] { $count } outlet
   *[other] { $count } outlets
 }
no-outlets = There is no outlet you may see.
alarms-open = Open alarms
alarms-all = { $count ->
    [one] { $count } alarm
   *[other] all { $count }
 }
alarms-more = { $count ->
    [one] one more
   *[other] { $count } more
 }
no-alarms = No alarms.
fallbacks-open = Open fallbacks
fallbacks-all = { $count ->
    [one] { $count } fallback
   *[other] { $count } fallbacks
 }
no-fallbacks = No fallbacks.
amounts = Totals against permitted amounts
no-amounts = No permitted amounts.
over-limit = over
stale-since = stale since { $time }
measured = Measured
converted-by-station = Converted (sent by the station)
record = Record
measured-at = Time of the value
received-at = Received
flag = Flag
flag-none = none sent
verdict = Verdict
verdict-valid = valid
verdict-invalid = invalid
profile = Rule profile
to-day-chart = Day chart
to-exact-rows = The exact rows (JSON)
emitted = Emitted
permitted = Permitted
period-from = Period from
source = Source
