/**
 * Measures decompression alone: record batches of 1 KB JSON records, about 64 KiB compressed, in each codec.
 *
 * ```
 * node bench/micro/decompress.ts [--megabytes 500] [--codec zstd]
 * ```
 *
 * Prints one JSON object: CPU seconds per million records of 1 KB, and MB of records per CPU second, by codec.
 */
import { parseArgs } from 'node:util'
import { CODECS } from '../../packages/millrace/src/kafka/protocol/compression/codecs.ts'
import { compress, decompress } from '../../packages/millrace/src/kafka/protocol/compression/compression.ts'

const { values: args } = parseArgs({
  options: { megabytes: { type: 'string', default: '500' }, codec: { type: 'string' } },
})

/** Orders with names, numbers and times, six to a record, as in the case `compressed`. */
function recordsOf(bytes: number): Buffer {
  let state = 1
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % below
  }
  const countries = ['DE', 'FR', 'US', 'GB', 'JP', 'BR']
  const order = (): string =>
    JSON.stringify({
      order_id: `o-${next(1e6)}`,
      customer_id: `c-${next(1e5)}`,
      amount: next(50_000) / 100,
      currency: 'EUR',
      country: countries[next(6)],
      items: next(9) + 1,
      created_at: new Date(1.78e12 + next(1e9)).toISOString(),
    })
  const parts: Buffer[] = []
  for (let length = 0; length < bytes;) {
    const part = Buffer.from(`\x80\x10{"number":${next(1e5)},"orders":[${Array.from({ length: 6 }, order).join(',')}]}`)
    parts.push(part)
    length += part.length
  }
  return Buffer.concat(parts)
}

const results: Record<string, object> = {}
for (const codec of CODECS) {
  if (codec === 'none' || (args.codec !== undefined && args.codec !== codec)) continue
  const batches = Array.from({ length: 16 }, (_, i) => recordsOf(256 * 1024 + i * 1024)).map((bytes) =>
    compress(codec, bytes),
  )
  const run = (megabytes: number): { bytes: number; seconds: number } => {
    const before = process.cpuUsage()
    let bytes = 0
    for (let i = 0; bytes < megabytes * 1e6; i++) bytes += decompress(codec, batches[i % batches.length]!).length
    const { user, system } = process.cpuUsage(before)
    return { bytes, seconds: (user + system) / 1e6 }
  }
  run(50)
  const { bytes, seconds } = run(Number(args.megabytes))
  const compressed = batches.reduce((sum, { length }) => sum + length, 0) / batches.length
  results[codec] = {
    compressedBytes: Math.round(compressed),
    megabytesPerSecond: Math.round(bytes / 1e6 / seconds),
    secondsPerMillion: Math.round((seconds / (bytes / 1e3)) * 1e6 * 100) / 100,
  }
}
console.log(JSON.stringify(results, undefined, 2))
