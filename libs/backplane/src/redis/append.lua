-- Appends events to the log, announces them and stores their marks, in one step.
-- KEYS: 1 meta (hash: epoch, seq), 2 log (stream; an entry's id is its seq), 3 marks (zset by expiry)
-- ARGV: 1 epoch to begin with, 2 log length, 3 oldest time to keep, 4 now, 5 prefix and 6 seconds of
--       «this event was appended»; then per event: id, channel, envelope without its last brace,
--       number of marks, and per mark: value, expiry. Times are Unix seconds.
local meta, log, marks = KEYS[1], KEYS[2], KEYS[3]
local epoch = redis.call('HGET', meta, 'epoch')
local seq = tonumber(redis.call('HGET', meta, 'seq') or '0')

-- The two are written together; where they disagree, one of them was lost.
local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
local newest_seq = newest and tonumber(string.match(newest[1], '^%d+')) or 0
if not epoch or newest_seq ~= seq then
  epoch, seq = ARGV[1], 0
  redis.call('DEL', log)
end

local i = 7
while ARGV[i] do
  local id, channel, open, count = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  i = i + 4
  if redis.call('SET', ARGV[5] .. id, '1', 'NX', 'EX', ARGV[6]) then
    seq = seq + 1
    local place = string.format('%d', seq)
    local body = open .. ',"seq":' .. place .. ',"epoch":"' .. epoch .. '"}'
    redis.call('XADD', log, 'MAXLEN', ARGV[2], place .. '-0', 'channel', channel, 'body', body, 'at', ARGV[4])
    redis.call('PUBLISH', channel, body)
  end
  for _ = 1, count do
    redis.call('ZADD', marks, 'GT', ARGV[i + 1], ARGV[i])
    i = i + 2
  end
end
redis.call('HSET', meta, 'epoch', epoch, 'seq', string.format('%d', seq))

-- By age, a few at a time; the newest entry stays, so that holes can be judged.
local aged = redis.call('XRANGE', log, '-', '+', 'COUNT', 200)
local keep = nil
for _, entry in ipairs(aged) do
  if tonumber(entry[2][6]) >= tonumber(ARGV[3]) then break end
  keep = tonumber(string.match(entry[1], '^%d+')) + 1
end
if keep then
  redis.call('XTRIM', log, 'MINID', string.format('%d', math.min(keep, seq)))
end
redis.call('ZREMRANGEBYSCORE', marks, '-inf', ARGV[4])
return seq
