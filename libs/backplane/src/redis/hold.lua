-- Records a holder of each key, and returns the number of holders of each key.
-- KEYS: for each hold its holders (zset, by expiry). ARGV: 1 milliseconds to live; then each holder.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local counts = {}
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  redis.call('ZADD', key, now + tonumber(ARGV[1]), ARGV[i + 1])
  redis.call('PEXPIRE', key, ARGV[1])
  counts[i] = redis.call('ZCARD', key)
end
return counts
