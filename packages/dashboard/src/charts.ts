/** Charts of the last five minutes, with rebalances and circuit breakers as marks on the time axis, which name themselves when pointed at. */
import { Component, createRef, type VNode } from 'preact'
import uPlot from 'uplot'
import type { HistoryPoint, Status } from './data.ts'
import { clock, count, rate, seconds, short } from './format.ts'
import { html } from './html.ts'

interface Line {
  readonly label: string
  readonly color: string
  readonly value: (point: HistoryPoint) => number | null
}

/** Something that happened. */
interface Mark {
  /** Seconds since 1970. */
  readonly at: number
  readonly text: string
}

interface ChartProps {
  readonly title: string
  readonly points: readonly HistoryPoint[]
  readonly lines: readonly Line[]
  readonly format: (value: number | null | undefined) => string
  /** What is counted has no parts: then the axis has none, either. */
  readonly isWhole?: boolean
  readonly marks: readonly Mark[]
  /** Whether screen readers get the marks. One chart is enough, as all have the same marks. */
  readonly namesMarks: boolean
  readonly theme: string
}

const HEIGHT = 170
/** Of the axis at the left, and what is free at the right. */
const LEFT = 60
const RIGHT = 28
/** 1, 2, 5, 10, 20, 50, and so on. */
const WHOLE_STEPS = Array.from({ length: 15 }, (_, digits) => [1, 2, 5].map((step) => step * 10 ** digits)).flat()

/** Of seconds since 1970, in the reader's time zone: short enough not to overlap the next one. */
function timeOfDay(at: number): string {
  return new Date(at * 1000).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
}

class Chart extends Component<ChartProps> {
  readonly #place = createRef<HTMLDivElement>()
  #plot: uPlot | undefined
  #theme = ''
  readonly #resize = new ResizeObserver(() => this.#plot?.setSize({ width: this.#width, height: HEIGHT }))

  override componentDidMount(): void {
    this.#draw()
    this.#resize.observe(this.#place.current!)
  }

  override componentDidUpdate(): void {
    if (this.#theme === this.props.theme) this.#plot?.setData(this.#data)
    else this.#draw()
  }

  override componentWillUnmount(): void {
    this.#resize.disconnect()
    this.#plot?.destroy()
  }

  render(): VNode {
    const { title, points, lines, format, namesMarks } = this.props
    const latest = points.at(-1)
    const text = lines.map(({ label, value }) => `${label} ${format(latest && value(latest))}`).join(', ')
    return html`<div class="chart">
      <h3>${title}</h3>
      <div class="plot">
        <div role="img" aria-label=${`${title} over the last five minutes. Now: ${text}`}>
          <div ref=${this.#place}></div>
        </div>
        ${this.#marks.map(
          ({ at, share, text: label }) =>
            html`<span
              key=${at}
              class="mark"
              style=${{ left: `calc(${LEFT}px + (100% - ${LEFT + RIGHT}px) * ${share})` }}
              role="img"
              aria-label=${label}
              aria-hidden=${!namesMarks}
              tabindex=${namesMarks ? 0 : undefined}
              ><span style=${{ transform: `translateX(${share * -100}%)` }}>${label}</span></span
            >`,
        )}
      </div>
      <p class="legend faint">
        ${lines.map(
          ({ label, color, value }) =>
            html`<span key=${label}>
              <span class="swatch" style=${{ background: `var(${color})` }}></span
              >${`${label} ${format(latest && value(latest))}`}
            </span>`,
        )}
      </p>
    </div>`
  }

  /** Those of the time that is shown, and how far to the right. */
  get #marks(): readonly (Mark & { readonly share: number })[] {
    const { points, marks } = this.props
    const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0]
    if (last <= first) return []
    return marks.flatMap((mark) => {
      const share = (mark.at - first) / (last - first)
      return share >= 0 && share <= 1 ? [{ ...mark, share }] : []
    })
  }

  get #width(): number {
    return this.#place.current!.clientWidth
  }

  get #data(): uPlot.AlignedData {
    const { points, lines } = this.props
    return [points.map(({ at }) => at), ...lines.map(({ value }) => points.map(value))]
  }

  #draw(): void {
    this.#plot?.destroy()
    this.#theme = this.props.theme
    const style = getComputedStyle(document.documentElement)
    const color = (name: string): string => style.getPropertyValue(name).trim()
    const axis = {
      stroke: color('--faint'),
      grid: { stroke: color('--line'), width: 1 },
      ticks: { stroke: color('--line'), width: 1 },
    }
    const { isWhole = false, format } = this.props
    const label = isWhole ? short : format
    this.#plot = new uPlot(
      {
        width: this.#width,
        height: HEIGHT,
        padding: [null, RIGHT, null, null],
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
        axes: [
          { ...axis, space: 80, values: (_, splits) => splits.map(timeOfDay) },
          {
            ...axis,
            size: LEFT,
            ...(isWhole && { incrs: WHOLE_STEPS }),
            values: (_, splits) => splits.map((value) => label(value)),
          },
        ],
        series: [
          {},
          ...this.props.lines.map(({ label, color: name }) => ({
            label,
            stroke: color(name),
            width: 2,
            points: { show: false },
          })),
        ],
      },
      this.#data,
      this.#place.current!,
    )
  }
}

interface ChartsProps {
  readonly points: readonly HistoryPoint[]
  readonly events: Status['events']
  readonly theme: string
}

type ChartSpec = Pick<ChartProps, 'title' | 'lines' | 'format' | 'isWhole'>

const CHARTS: readonly ChartSpec[] = [
  {
    title: 'Records per second',
    format: rate,
    lines: [
      { label: 'read', color: '--busy', value: ({ readPerSecond }) => readPerSecond },
      { label: 'written', color: '--backpressured', value: ({ writtenPerSecond }) => writtenPerSecond },
    ],
  },
  {
    title: 'Lag in records',
    format: count,
    isWhole: true,
    lines: [{ label: 'lag', color: '--busy', value: ({ lag }) => lag }],
  },
  {
    title: 'Lag in time',
    format: seconds,
    lines: [{ label: 'lag', color: '--busy', value: ({ lagSeconds }) => lagSeconds }],
  },
  {
    title: 'Latency, 99 %',
    format: seconds,
    lines: [{ label: 'latency', color: '--busy', value: ({ latencySeconds }) => latencySeconds }],
  },
]

/** One for each second, as some things happen together. */
function marksOf(events: Status['events']): readonly Mark[] {
  const texts = new Map<number, string>()
  for (const { isMarked, at, message } of events) {
    if (!isMarked) continue
    const second = Math.round(Date.parse(at) / 1000)
    const before = texts.get(second)
    texts.set(second, before === undefined ? `${clock(at)} ${message}` : `${before}; ${message}`)
  }
  return Array.from(texts, ([at, text]) => ({ at, text }))
}

export function Charts({ points, events, theme }: ChartsProps): VNode {
  const marks = marksOf(events)
  // What a pipeline cannot know, such as the lag of a file, needs no chart.
  const known = CHARTS.filter(({ lines }) => lines.some(({ value }) => points.some((point) => value(point) !== null)))
  return html`<section aria-labelledby="charts">
    <h2 id="charts">Last five minutes</h2>
    ${known.length === 0 && html`<p class="faint" style="margin:0">The first numbers come after two seconds.</p>`}
    <div class="charts">
      ${known.map(
        (chart, i) =>
          html`<${Chart}
            key=${chart.title}
            ...${chart}
            points=${points}
            marks=${marks}
            namesMarks=${i === 0}
            theme=${theme}
          />`,
      )}
    </div>
    <p class="faint" style="margin:8px 0 0">
      Dashed lines are rebalances and changes of circuit breakers. Point to one, or press Tab, to see which.
    </p>
  </section>`
}
