#!/usr/bin/env bash
# Starts a node as Kube-OVN's start-up does, by ovn-ctl and ovsdb-tool alone: the first node founds a
# cluster if nobody leads one, all others join whoever leads. Mounted over our entry point by a test.
set -eo pipefail

ovn_ctl=/usr/share/ovn/scripts/ovn-ctl
IFS=, read -ra nodes <<<"$NODE_IPS"

leader_of() { # port, database
  local node query='["_Server",{"op":"select","table":"Database","where":[["name","==","'$2'"]],"columns":["leader"]}]'
  for node in "${nodes[@]}"; do
    if [[ $(timeout 5 ovsdb-client query "tcp:[$node]:$1" "$query" 2>/dev/null) == *true* ]]; then
      echo "$node"
      return
    fi
  done
}

repair() { # nb|sb, database, port of the cluster
  local file=/etc/ovn/ovn$1_db.db header=/etc/ovn/ovn$1_db.hdr node others=()
  for node in "${nodes[@]}"; do [ "$node" = "$POD_IP" ] || others+=("tcp:[$node]:$3"); done
  if [ -e "$file" ] && [ "$(ovsdb-tool db-name "$file")" != "$2" ]; then mv "$file" "$file.bad"; fi
  if [ ! -e "$file" ] && [ -e "$header" ]; then
    ovsdb-tool rejoin-cluster "$file" "$header" "tcp:[$POD_IP]:$3" "${others[@]}"
  elif [ -e "$file" ] && ! ovsdb-tool check-cluster "$file"; then
    ovsdb-tool fix-cluster "$file" && ovsdb-tool check-cluster "$file"
  fi
}

listen() { # nb|sb, port
  rm -f "/etc/ovn/ovn$1_local_config.db"
  ovsdb-tool create "/etc/ovn/ovn$1_local_config.db" /usr/share/openvswitch/local-config.ovsschema
  ovsdb-tool transact "/etc/ovn/ovn$1_local_config.db" '["Local_Config",
    {"op":"insert","table":"Config","row":{"connections":["named-uuid","c"]}},
    {"op":"insert","table":"Connection","uuid-name":"c","row":{"target":"ptcp:'"$2"':[::]"}}]'
}

"$ovn_ctl" stop_northd
options=(--ovn-northd-wrapper= --ovsdb-nb-wrapper= --ovsdb-sb-wrapper=
  --ovn-northd-nb-db="tcp:[${NODE_IPS//,/]:6641,tcp:[}]:6641" --ovn-northd-sb-db="tcp:[${NODE_IPS//,/]:6642,tcp:[}]:6642")
for db in nb:OVN_Northbound:6641:6643 sb:OVN_Southbound:6642:6644; do
  IFS=: read -r name database port cluster_port <<<"$db"
  repair "$name" "$database" "$cluster_port"
  listen "$name" "$port"
  options+=("--db-$name-create-insecure-remote=yes" "--db-$name-use-remote-in-db=no" "--db-$name-addr=[::]" "--db-$name-port=$port"
    "--db-$name-cluster-local-addr=[$POD_IP]" "--db-$name-cluster-local-port=$cluster_port")
  leader=$(leader_of "$port" "$database")
  if [ -n "$leader" ] || [ "$POD_IP" != "${nodes[0]}" ]; then
    options+=("--db-$name-cluster-remote-addr=[${leader:-${nodes[0]}}]" "--db-$name-cluster-remote-port=$cluster_port")
  fi
done
for name in nb sb; do
  "$ovn_ctl" "${options[@]}" "start_${name}_ovsdb" -- --remote=db:Local_Config,Config,connections "/etc/ovn/ovn${name}_local_config.db"
done
"$ovn_ctl" "${options[@]}" --ovn-manage-ovsdb=no --ovn-northd-n-threads=1 start_northd
for name in nb sb; do ovn-appctl -t "/var/run/ovn/ovn${name}_db.ctl" ovsdb-server/memory-trim-on-compaction on; done
chmod 600 /etc/ovn/*
echo 'this node is up'
while true; do
  for name in nb sb; do
    # Beside the database, so that the node can come back under its id.
    if header=$(ovsdb-tool db-raft-header "/etc/ovn/ovn${name}_db.db"); then echo "$header" >"/etc/ovn/ovn${name}_db.hdr"; fi
  done
  sleep 1
done
