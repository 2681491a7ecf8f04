import { describe, expect, test } from 'vitest'
import { xxh3Hex } from '../../src/schema-registry/xxh3.ts'

/** What xxHash 0.8 in C makes of so many bytes; every branch has some. */
const VECTORS: readonly (readonly [length: number, hash: string])[] = [
  [0, '2d06800538d394c2'],
  [1, '4c5cca45d0f4811f'],
  [2, '29c60963cbfa4e6e'],
  [3, '6e3e2670e61106ac'],
  [4, '5c4c63133443d03f'],
  [5, '49f5eb3111280b63'],
  [8, 'f9fd4dd0b04d78f5'],
  [9, '30513ed207b9c340'],
  [15, 'ab5500eb621fede4'],
  [16, '8adf25212dbe075a'],
  [17, '2d1d4b10cfd7b927'],
  [31, '241e67f0821c8a45'],
  [32, 'ac60d61de7d98146'],
  [33, 'fd0f77ca4ac4a812'],
  [64, '66a38e66471a80fc'],
  [65, 'c3cb289b21908452'],
  [96, '145aef8c101d196f'],
  [97, '795d8870548dc4d7'],
  [127, 'c16f5467b1d0a988'],
  [128, '2f1201c2c47daae3'],
  [129, 'ecbc59d789b2b1e4'],
  [143, '3944044296f68f29'],
  [144, 'cac311e356a1a307'],
  [160, 'cd950b4d0a325770'],
  [200, '45b4d55aae64f22b'],
  [239, '4bb76579efb73ed2'],
  [240, '3b20bc131daf9d46'],
  [241, 'b303ea29a5d81afb'],
  [255, '9cfeab6c9cd9b749'],
  [256, 'e0b6e7fe648ba915'],
  [257, '2b2f8d9ec9251300'],
  [512, '2ac370df08d77545'],
  [1023, '612b627abdac0332'],
  [1024, '59f4d7cbff58cffa'],
  [1025, 'c7113800d3982ecc'],
  [1087, 'c1c3cea58b3dbfc4'],
  [1088, '459d30d49ca0689b'],
  [2048, 'a5970626cf07166c'],
  [2049, '42459b393b5357a8'],
  [4096, '3350d8d737db37c7'],
  [10000, '2905a612ea4d33d3'],
]

describe('xxh3', () => {
  test.each(VECTORS)('of %i bytes is %s', (length, hash) => {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 131 + (i >> 3) * 17 + 7) & 255))
    expect(xxh3Hex(bytes)).toBe(hash)
  })
})
