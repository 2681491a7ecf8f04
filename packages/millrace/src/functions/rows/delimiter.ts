/** What stands between the cells of CSV. Not `field.string()`, which takes a tab for no text. */
import { field } from '../../options/fields.ts'

const PATTERN = '^[^"\\r\\n]+$'

export const delimiter = field
  .of<string>({
    expected: 'one character or more, none of them a quote or a line feed',
    schema: { type: 'string', pattern: PATTERN },
    read(value, report) {
      if (typeof value === 'string' && new RegExp(PATTERN).test(value)) return value === '\\t' ? '\t' : value
      report({ expected: this.expected, found: value })
      return ','
    },
  })
  .default(',')
  .doc('CSV: separator between cells; `\\t` is a tab.')
