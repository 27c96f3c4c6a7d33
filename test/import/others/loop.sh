#!/bin/bash
# the loop that people write by hand
PATTERN="my.js"
RECOVERY="node /srv/my.js start"
LOGFILE=/var/log/watch.log

while true; do
  TIMEPOINT=$(date -d "today" +"%Y-%m-%d_%H:%M:%S")
  PROC=$(pgrep -o -f ${PATTERN})
  if [ -z "${PROC}" ]; then
    ${RECOVERY} >> $LOGFILE
    echo "[${TIMEPOINT}] ${PATTERN} ${RECOVERY}" >> $LOGFILE
  fi
  curl -s https://example.org/alive
  sleep 5
done &
