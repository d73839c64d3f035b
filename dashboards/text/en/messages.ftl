message-subject = [{ $priority }] { $reason }: { $what }
message-short = { $label }: { $what }, { $where }
message-ask = First: { $first }
message-subject-test = Test of channel { $channel }: { $site }
message-things = { $count ->
    [one] one item
   *[other] { $count } items
 }
message-more = { $count ->
    [one] and one more
   *[other] and { $count } more
 }
message-stop = ;{" "}
message-foot = Sent by cemsd at { $site }; replies are not read.
message-open = Open
message-to-alarms = All alarms
message-to-fallbacks = All fallbacks
message-to-duties = All duties
message-to-console = Console
message-priority = Priority
message-state = State
message-reason-alarm-raised = Alarm
message-reason-alarm-returned = Back to normal
message-reason-alarm-escalated = Alarm escalated
message-reason-alarm-rearmed = Alarm again
message-reason-alarm-handed-on = Alarm passed on
message-reason-fallback-opened = Fallback opened
message-reason-report-reminder = Manual report due
message-reason-report-escalated = Manual report overdue
message-reason-fallback-closed = Fallback closed
message-reason-duty-reminder = Duty due
message-reason-duty-escalated = Duty overdue
message-reason-digest = Digest
message-reason-test = Test
message-lead-alarm-raised = Raised at { $at }; please answer.
message-lead-alarm-returned = The condition is gone ({ $at }).
message-lead-alarm-escalated = Nobody has acknowledged in time; you are next in the chain ({ $at }).
message-lead-alarm-rearmed = An acknowledgement or a shelving has run out while the condition holds ({ $at }).
message-lead-alarm-handed-on = The duty desk passed this on to you at { $at }; please look into it and answer.
message-lead-fallback-opened = A fallback has been open since { $at }: manual reports are owed.
message-lead-report-reminder = A manual report falls due soon ({ $at }).
message-lead-report-escalated = A manual report is overdue; you are next in the chain ({ $at }).
message-lead-fallback-closed = The fallback has ended ({ $at }).
message-lead-duty-reminder = A duty falls due soon ({ $at }).
message-lead-duty-escalated = A duty is overdue; you are next in the chain ({ $at }).
message-lead-digest = Held back by quiet hours or a limit on messages ({ $at }).
message-lead-test = This is a test of the channel { $channel } ({ $at }). It has arrived, so the channel works; there is nothing to do.
message-first-report = Sample and measure as required and enter the results on the console; reports may be no more than 6 h apart and at least 4 a day are owed.
message-first-report-overdue = Enter the report now; if that is impossible, call the centre and say why.
message-fallback-title = Fallback: { $state }
message-other-alarm = Alarm #{ $id }
message-other-fallback = Fallback #{ $id }
message-other-duty = Duty { $id }
