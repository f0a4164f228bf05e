# What is wrong with the node that this runs on, by the commands that health checks issue. Nothing: all is well.
ctl=/usr/share/ovn/scripts/ovn-ctl
"$ctl" status_northd >/dev/null || echo "northd: $("$ctl" status_northd 2>&1)"
for db in nb:OVN_Northbound sb:OVN_Southbound; do
  control=/var/run/ovn/ovn${db%:*}_db.ctl
  state=$("$ctl" "status_ovn${db%:*}" 2>&1)
  [[ $state == running* ]] || echo "${db#*:}: $state"
  storage=$(ovn-appctl -t "$control" ovsdb-server/get-db-storage-status "${db#*:}" 2>&1)
  [ "$storage" = 'status: ok' ] || echo "${db#*:}: $storage"
  if [ -n "${NODE_IPS:-}" ]; then
    status=$(ovn-appctl -t "$control" cluster/status "${db#*:}" 2>&1 | grep '^Status: ')
    [ "$status" = 'Status: cluster member' ] || echo "${db#*:}: $status"
  fi
done
