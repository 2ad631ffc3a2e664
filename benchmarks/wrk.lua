-- wrk … -s wrk.lua URL -- FILE SIZE COUNT [ORDER FROM]: sends the first COUNT requests of FILE in turn, each SIZE bytes long; or in the
-- order of the file ORDER, integers of 32 bits, from the one at FROM on.
local ffi = require('ffi')
local file, size, count, at, kept, order, length, text

function init (args)
  file = assert(io.open(args[1], 'rb'))
  size, count, at, kept = tonumber(args[2]), tonumber(args[3]), 0, {}
  if count <= 1000 or args[4] then
    for i = 1, count do kept[i] = assert(file:read(size)) end
  end
  if not args[4] then return end
  text = assert(io.open(args[4], 'rb')):read('*a')
  order, length, at = ffi.cast('const int32_t*', text), #text / 4, tonumber(args[5])
end

function request ()
  local now = at
  if order then
    at = (at + 1) % length
    return kept[order[now] + 1]
  end
  at = (at + 1) % count
  if kept[1] then return kept[now + 1] end
  if now == 0 then file:seek('set', 0) end
  return assert(file:read(size), 'the file of requests is too short')
end

function done (summary, latency)
  local errors = summary.errors
  print(string.format('RESULT {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"refused":%d,"failed":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
