import { execFileSync } from 'node:child_process'
import { jsCRC32C } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changedCrc32c, crc32c, isCrc32cNative } from '../../../src/kafka/protocol/crc32c.ts'

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  test.each([
    { name: 'nothing', bytes: Buffer.alloc(0), crc: 0 },
    { name: '123456789', bytes: Buffer.from('123456789'), crc: 0xe3069283 },
    { name: '32 bytes of zeros', bytes: Buffer.alloc(32), crc: 0x8a9136aa },
    { name: '32 bytes of ones', bytes: Buffer.alloc(32, 0xff), crc: 0x62a8ab43 },
    { name: '32 ascending bytes', bytes: Buffer.from(Array.from({ length: 32 }, (_, i) => i)), crc: 0x46dd794e },
  ])('gives the published value for $name', ({ bytes, crc }) => {
    expect(crc32c(bytes, 0, bytes.length)).toBe(crc)
  })

  test('equals a plain implementation on any range of any view', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(), (input, a, b) => {
        const start = a % (input.length + 1)
        const end = start + (b % (input.length - start + 1))
        const view = Buffer.concat([Buffer.from('before'), input]).subarray('before'.length)
        expect(crc32c(view, start, end)).toBe(jsCRC32C(view.subarray(start, end)))
      }),
    )
  })

  test('falls back to the portable implementation where there is no native one', () => {
    const module = new URL('../../../src/kafka/protocol/crc32c.ts', import.meta.url).href
    const script = `const { crc32c, isCrc32cNative } = await import('${module}'); console.log(isCrc32cNative(), crc32c(Buffer.from('-123456789'), 1, 10))`
    const out = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, NAPI_RS_NATIVE_LIBRARY_PATH: '/nowhere' },
      encoding: 'utf8',
    })
    expect(out.trim()).toBe(`false ${0xe3069283}`)
    expect(typeof isCrc32cNative()).toBe('boolean')
  })

  test('is changed with the beginning of the bytes, whatever follows it', () => {
    const others = fc.oneof(fc.nat(300), fc.constantFrom(4096, 65_475, 65_536, 1_048_515, 3_000_001))
    const sizes = fc.record({ size: fc.nat(60), others })
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.nat(255)), ({ size, others: count }, noise) => {
        const bytes = Buffer.alloc(size + count, 7)
        const draw = (): number => noise.next().value as number
        for (let i = 0; i < bytes.length; i += 1 + (count >> 6)) bytes[i] = draw()
        const whole = crc32c(bytes, 0, bytes.length)
        const before = crc32c(bytes, 0, size)
        for (let i = 0; i < size; i++) bytes[i] = draw()
        const changed = changedCrc32c(whole, before, crc32c(bytes, 0, size), count)
        expect(changed).toBe(crc32c(bytes, 0, bytes.length))
      }),
    )
  })
})
