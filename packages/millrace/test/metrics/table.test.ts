import { expect, test } from 'vitest'
import { LABELS, METRICS, type Metric } from '../../src/metrics/table.ts'

test.each(Object.entries<Metric>(METRICS))(
  '%s is named after its unit and documented',
  (name, { type, unit, labels, help }) => {
    expect(name).toMatch(
      type === 'counter'
        ? new RegExp(`^millrace_[a-z]+(?:_[a-z]+)*_${unit}_total$`)
        : new RegExp(`^millrace_[a-z]+(?:_[a-z]+)*_${unit}$`),
    )
    expect(help).toMatch(/^[A-Z].*\.$/)
    for (const label of labels) expect(LABELS).toHaveProperty(label)
    expect(labels[0]).toBe('pipeline')
  },
)
