-- Publishes events and stores their marks in one step. Events of logged channels are appended to the
-- log first, and are announced with their position and a proof that this script assigned it.
-- KEYS: 1 meta (hash: epoch, seq, secret), 2 log (stream, the id of an entry is its seq), 3 ids (zset:
--       ids of the events in the log, by seq), 4 unlogged (zset: ids of the newest events without a
--       position, by time), 5 doubt (an epoch that a reader found rolled back), and only if an event
--       carries marks: 6 marks (zset, by expiry)
-- ARGV: 1 epoch and 2 secret for a new log, 3 length of the log, 4 seconds that it keeps an event, 5 how
--       many ids of unlogged events are kept, 6 prefix of the channels, 7 epoch that the caller knows, 8 seq and
--       9 id of the last event that it has appended there (8 is 0 if there is none); then for each event: id, channel, '1' if the
--       channel is logged, envelope without its last brace, number of marks; for each mark: value, seconds to live.
-- Returns the epoch, and seq and id of the last event that was appended now; the id is empty if none was. Publishes
-- nothing if the epoch is another one than the caller knows: others may have published these events and later ones.
-- All times are those of Redis: the clocks of the callers may be wrong.
local meta, log, ids, unlogged, doubt, marks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local time = redis.call('TIME')
local now = tonumber(time[1])
local stored = redis.call('HMGET', meta, 'epoch', 'seq', 'secret')
local epoch, seq, secret = stored[1], tonumber(stored[2] or '0'), stored[3]

-- Whether the log was rolled back to before the caller's last event. Perhaps no reader has seen that event.
local function lacks_last_event()
  local last = tonumber(ARGV[8])
  if ARGV[7] ~= epoch or last > seq then return ARGV[7] == epoch end
  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  -- An event that was trimmed is older than the log.
  if not first or tonumber(string.match(first[1], '^%d+')) > last then return false end
  return tonumber(redis.call('ZSCORE', ids, ARGV[9]) or '0') ~= last
end

-- Epoch, seq and log are written together. If they disagree, one of them was lost.
local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
local newest_seq = newest and tonumber(string.match(newest[1], '^%d+')) or 0
if not epoch or not secret or newest_seq ~= seq or redis.call('GET', doubt) == epoch or lacks_last_event() then
  epoch, seq, secret = ARGV[1], 0, secret or ARGV[2]
  -- The command that needs memory comes first: once a script has written, Redis refuses no further command.
  redis.call('HSET', meta, 'epoch', epoch, 'seq', '0', 'secret', secret)
  redis.call('DEL', log, ids, doubt)
end

if ARGV[7] ~= epoch then
  return {epoch, 0, ''}
end

-- Redis offers only SHA-1. Hashing twice prevents length extension.
local function proof(channel, body)
  return redis.sha1hex(secret .. redis.sha1hex(secret .. channel .. '\n' .. body))
end

local appended = ''
local i = 10
while ARGV[i] do
  local id, channel, logged, open, count = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4])
  i = i + 5
  -- The id is stored last: an event that failed before, such as for a missing permission, does not count as published.
  if logged ~= '1' then
    if not redis.call('ZSCORE', unlogged, id) then
      redis.call('PUBLISH', ARGV[6] .. channel, open .. '}')
      redis.call('ZADD', unlogged, tonumber(time[1]) * 1000000 + tonumber(time[2]), id)
    end
  elseif not redis.call('ZSCORE', ids, id) then
    seq = seq + 1
    local place = string.format('%d', seq)
    local body = open .. ',"seq":' .. place .. ',"epoch":"' .. epoch .. '"}'
    redis.call('XADD', log, 'MAXLEN', ARGV[3], place .. '-0', 'channel', channel, 'body', body, 'at', now)
    redis.call('HSET', meta, 'seq', place)
    redis.call('ZADD', ids, seq, id)
    appended = id
    local announced = string.sub(body, 1, -2) .. ',"proof":"' .. proof(channel, body) .. '"}'
    redis.call('PUBLISH', ARGV[6] .. channel, announced)
  end
  for _ = 1, count do
    redis.call('ZADD', marks, 'GT', now + tonumber(ARGV[i + 1]), ARGV[i])
    i = i + 2
  end
end

-- Deletes old entries, a few at a time. The newest entry stays, so that readers can detect gaps.
local function is_old(entry)
  return entry and tonumber(entry[2][6]) < now - tonumber(ARGV[4])
end
local keep = nil
-- Most appends find nothing to delete, and must not read 200 entries for it.
if is_old(redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]) then
  for _, entry in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', 200)) do
    if not is_old(entry) then break end
    keep = tonumber(string.match(entry[1], '^%d+')) + 1
  end
end
if keep then
  redis.call('XTRIM', log, 'MINID', string.format('%d', math.min(keep, seq)))
end
-- An id is deleted together with its entry.
local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
if first then
  redis.call('ZREMRANGEBYSCORE', ids, '-inf', '(' .. string.match(first[1], '^%d+'))
end
redis.call('ZREMRANGEBYRANK', unlogged, 0, -1 - tonumber(ARGV[5]))
if marks then
  redis.call('ZREMRANGEBYSCORE', marks, '-inf', now)
end
return {epoch, seq, appended}
