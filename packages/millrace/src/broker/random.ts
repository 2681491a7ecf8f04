/**
 * Random ids. They have to differ, and need not be secret, so that `node:crypto` is not loaded for them: it takes 3 MB, and a broker
 * that is idle is to be small.
 */

/** A UUID (version 4) as bytes. */
export function randomUuidBytes(): Buffer {
  const bytes = Buffer.alloc(16)
  for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32BE(Math.floor(Math.random() * 2 ** 32), i)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes
}

/** A UUID (version 4) as text with dashes. */
export function randomUuidText(): string {
  return randomUuidBytes()
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
