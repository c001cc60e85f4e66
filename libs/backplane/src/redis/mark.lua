-- Stores marks without an event, and notifies every process.
-- KEYS: 1 marks (zset, by expiry). ARGV: 1 channel; then for each mark: value, seconds to live.
local now = tonumber(redis.call('TIME')[1])
for i = 2, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 'GT', now + tonumber(ARGV[i + 1]), ARGV[i])
end
redis.call('PUBLISH', ARGV[1], '')
return 1
