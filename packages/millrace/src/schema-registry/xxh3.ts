/**
 * XXH3 with 64 bits and seed 0: names the subject of a schema. Once per schema, so BigInt will do.
 *
 * @see https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */

const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a26' +
    '4c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d978' +
    '7364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb' +
    '4b407e',
  'hex',
)

const P32_1 = 0x9e3779b1n
const P32_2 = 0x85ebca77n
const P32_3 = 0xc2b2ae3dn
const P64_1 = 0x9e3779b185ebca87n
const P64_2 = 0xc2b2ae3d27d4eb4fn
const P64_3 = 0x165667b19e3779f9n
const P64_4 = 0x85ebca77c2b2ae63n
const P64_5 = 0x27d4eb2f165667c5n
const MX_1 = 0x165667919e3779f9n
const MX_2 = 0x9fb21c651e98df25n

const STRIPE = 64
const ACCUMULATORS = 8
const SECRET_MIN = 136

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const read64 = (bytes: Buffer, at: number): bigint => bytes.readBigUInt64LE(at)
const secret64 = (at: number): bigint => SECRET.readBigUInt64LE(at)
const secret32 = (at: number): bigint => BigInt(SECRET.readUInt32LE(at))

function multiplyFold(a: bigint, b: bigint): bigint {
  const product = a * b
  return u64(product) ^ (product >> 64n)
}

function avalanche64(hash: bigint): bigint {
  let h = hash ^ (hash >> 33n)
  h = u64(h * P64_2)
  h ^= h >> 29n
  h = u64(h * P64_3)
  return h ^ (h >> 32n)
}

function avalanche(hash: bigint): bigint {
  let h = hash ^ (hash >> 37n)
  h = u64(h * MX_1)
  return h ^ (h >> 32n)
}

function rotateLeft(value: bigint, by: bigint): bigint {
  return u64(value << by) | (value >> (64n - by))
}

function swap64(value: bigint): bigint {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes.readBigUInt64BE()
}

/** The hash as 16 lower-case hexadecimal digits. */
export function xxh3Hex(bytes: Buffer): string {
  return xxh3(bytes).toString(16).padStart(16, '0')
}

function xxh3(bytes: Buffer): bigint {
  const { length } = bytes
  if (length <= 16) return upTo16(bytes)
  if (length <= 128) return upTo128(bytes)
  if (length <= 240) return upTo240(bytes)
  return longer(bytes)
}

function upTo16(bytes: Buffer): bigint {
  const { length } = bytes
  const n = BigInt(length)
  if (length > 8) {
    const low = secret64(24) ^ secret64(32) ^ read64(bytes, 0)
    const high = secret64(40) ^ secret64(48) ^ read64(bytes, length - 8)
    return avalanche(u64(n + swap64(low) + high + multiplyFold(low, high)))
  }
  if (length >= 4) {
    const first = BigInt(bytes.readUInt32LE(0))
    const last = BigInt(bytes.readUInt32LE(length - 4))
    let h = (last + (first << 32n)) ^ (secret64(8) ^ secret64(16))
    h ^= rotateLeft(h, 49n) ^ rotateLeft(h, 24n)
    h = u64(h * MX_2)
    h ^= u64((h >> 35n) + n)
    h = u64(h * MX_2)
    return h ^ (h >> 28n)
  }
  if (length > 0) {
    const combined = (bytes[0]! << 16) | (bytes[length >> 1]! << 24) | bytes[length - 1]! | (length << 8)
    return avalanche64(BigInt(combined >>> 0) ^ (secret32(0) ^ secret32(4)))
  }
  return avalanche64(secret64(56) ^ secret64(64))
}

function mix16(bytes: Buffer, at: number, secretAt: number): bigint {
  return multiplyFold(read64(bytes, at) ^ secret64(secretAt), read64(bytes, at + 8) ^ secret64(secretAt + 8))
}

function upTo128(bytes: Buffer): bigint {
  const { length } = bytes
  let sum = BigInt(length) * P64_1
  for (let i = (length - 1) >> 5; i >= 0; i--) {
    sum += mix16(bytes, 16 * i, 32 * i)
    sum += mix16(bytes, length - 16 * (i + 1), 32 * i + 16)
  }
  return avalanche(u64(sum))
}

function upTo240(bytes: Buffer): bigint {
  const { length } = bytes
  const rounds = length >> 4
  let sum = BigInt(length) * P64_1
  for (let i = 0; i < 8; i++) sum += mix16(bytes, 16 * i, 16 * i)
  sum = avalanche(u64(sum))
  for (let i = 8; i < rounds; i++) sum += mix16(bytes, 16 * i, 16 * (i - 8) + 3)
  sum += mix16(bytes, length - 16, SECRET_MIN - 17)
  return avalanche(u64(sum))
}

function longer(bytes: Buffer): bigint {
  const { length } = bytes
  const sums = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]
  const stripesPerBlock = (SECRET.length - STRIPE) >> 3
  const blockBytes = STRIPE * stripesPerBlock
  const blocks = Math.floor((length - 1) / blockBytes)
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < stripesPerBlock; i++) accumulate(sums, bytes, block * blockBytes + i * STRIPE, i * 8)
    scramble(sums)
  }
  const stripes = Math.floor((length - 1 - blockBytes * blocks) / STRIPE)
  for (let i = 0; i < stripes; i++) accumulate(sums, bytes, blocks * blockBytes + i * STRIPE, i * 8)
  accumulate(sums, bytes, length - STRIPE, SECRET.length - STRIPE - 7)
  let result = u64(BigInt(length) * P64_1)
  for (let i = 0; i < 4; i++)
    result += multiplyFold(sums[2 * i]! ^ secret64(11 + 16 * i), sums[2 * i + 1]! ^ secret64(11 + 16 * i + 8))
  return avalanche(u64(result))
}

function accumulate(sums: bigint[], bytes: Buffer, at: number, secretAt: number): void {
  for (let i = 0; i < ACCUMULATORS; i++) {
    const value = read64(bytes, at + 8 * i)
    const keyed = value ^ secret64(secretAt + 8 * i)
    sums[i ^ 1] = u64(sums[i ^ 1]! + value)
    sums[i] = u64(sums[i]! + (keyed & 0xffffffffn) * (keyed >> 32n))
  }
}

function scramble(sums: bigint[]): void {
  for (let i = 0; i < ACCUMULATORS; i++) {
    const sum = sums[i]!
    sums[i] = u64((sum ^ (sum >> 47n) ^ secret64(SECRET.length - STRIPE + 8 * i)) * P32_1)
  }
}
