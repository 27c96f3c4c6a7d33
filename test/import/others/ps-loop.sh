#!/bin/sh
while :
do
  if ! ps aux | grep -v grep | grep -q "[w]orker.py"; then
    nohup python3 /srv/worker.py > /dev/null 2>&1 &
    echo restarted | mail -s worker root
  fi
  sleep 30
done
