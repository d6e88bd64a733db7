-- Shapes the requests of one wrk run, and reports it as one line of JSON (read by `wrk.ts`).
-- UPLOAD_BYTES: a body of that many bytes by POST. KEEP_ALIVE=no: every request asks for the connection's end.

local upload = tonumber(os.getenv("UPLOAD_BYTES") or "0")
if upload > 0 then
  wrk.method = "POST"
  wrk.body = string.rep("x", upload)
end
if os.getenv("KEEP_ALIVE") == "no" then
  wrk.headers["Connection"] = "close"
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,"p999":%d,' ..
    '"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
