# For scripts that need a server of their own: source it, then call start_server. The server is stopped
# when the script ends, in whatever way.

server=
server_directory=

# start_server DIRECTORY PROGRAM [ARGUMENTS...]: starts the server PROGRAM on a free port, with its data
# in DIRECTORY/data and its log in DIRECTORY/server.log, waits until it can be called, and exports
# POSTERIORD_SERVER.
start_server() {
  server_directory=$1
  local program=$2 port_file=$1/port
  shift 2
  mkdir -p "$server_directory"
  rm -f "$port_file"
  "$program" --listen 127.0.0.1:0 --data-dir "$server_directory/data" --port-file "$port_file" "$@" \
    >>"$server_directory/server.log" 2>&1 &
  server=$!
  until [[ -s $port_file ]]; do
    if ! kill -0 "$server" 2>/dev/null; then
      server=
      echo "error: the server did not start:" >&2
      tail -n 20 "$server_directory/server.log" >&2
      exit 1
    fi
    sleep 0.1
  done
  POSTERIORD_SERVER=127.0.0.1:$(<"$port_file")
  export POSTERIORD_SERVER
  rm "$port_file"
  echo "posteriord listens on $POSTERIORD_SERVER; its data are in $server_directory/data"
}

stop_server() {
  [[ -n $server ]] || return 0
  kill -TERM "$server" 2>/dev/null || true
  wait "$server" || echo "warning: the server did not stop cleanly; see $server_directory/server.log" >&2
  server=
}
trap stop_server EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
