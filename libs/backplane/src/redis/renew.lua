-- Begins a new epoch, unless somebody else already did.
-- KEYS: 1 meta, 2 log. ARGV: 1 the epoch that was found to be rolled back, 2 the new one.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch or epoch == ARGV[1] then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'seq', '0')
end
return 1
