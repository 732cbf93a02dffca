import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../log.ts'
import { MAX_SERIES, MetricsRegistry } from './index.ts'

const make = (): MetricsRegistry => new MetricsRegistry(silentLog)
const linesOf = async (registry: MetricsRegistry, name: string): Promise<readonly string[]> =>
  (await registry.text()).split('\n').filter((line) => line.startsWith(name))

describe('metrics', () => {
  it('are written with the plugin that they are of, and their units', async () => {
    const registry = make()
    const weather = registry.of('weather')
    const readings = weather.counter({ name: 'readings_total', help: 'Readings taken.', labels: ['station'] })
    readings.add(2, { station: 'roof' })
    readings.add(1, { station: 'roof' })
    readings.add(1, { station: 'a "quoted"\n\\one' })
    weather.gauge({ name: 'pressure_ratio', help: 'Of the normal one.' }).set(1.5)
    let bytes = 7
    weather.gauge({ name: 'archive_bytes', help: 'Kept.', read: () => bytes })
    bytes = 8
    registry.of('rival').counter({ name: 'readings_total', help: 'Theirs.' }).add(5)
    registry.core.counter({ name: 'requests_total', help: 'All.' }).add(1)
    expect(await registry.text()).toBe(
      [
        '# HELP deaios_readings_total Readings taken.',
        '# TYPE deaios_readings_total counter',
        'deaios_readings_total{plugin="weather",station="roof"} 3',
        'deaios_readings_total{plugin="weather",station="a \\"quoted\\"\\n\\\\one"} 1',
        'deaios_readings_total{plugin="rival"} 5',
        '',
        '# HELP deaios_pressure_ratio Of the normal one.',
        '# TYPE deaios_pressure_ratio gauge',
        'deaios_pressure_ratio{plugin="weather"} 1.5',
        '',
        '# HELP deaios_archive_bytes Kept.',
        '# TYPE deaios_archive_bytes gauge',
        'deaios_archive_bytes{plugin="weather"} 8',
        '',
        '# HELP deaios_requests_total All.',
        '# TYPE deaios_requests_total counter',
        'deaios_requests_total 1',
        '',
      ].join('\n'),
    )
  })

  it('count how often values fell into ranges', async () => {
    const registry = make()
    const delays = registry.of('weather').histogram({ name: 'delay_seconds', help: 'Of a reading.', buckets: [1, 5] })
    for (const seconds of [0.5, 1, 3, 9]) delays.observe(seconds)
    expect(await linesOf(registry, 'deaios_delay')).toEqual([
      'deaios_delay_seconds_bucket{plugin="weather",le="1"} 2',
      'deaios_delay_seconds_bucket{plugin="weather",le="5"} 3',
      'deaios_delay_seconds_bucket{plugin="weather",le="+Inf"} 4',
      'deaios_delay_seconds_sum{plugin="weather"} 13.5',
      'deaios_delay_seconds_count{plugin="weather"} 4',
    ])
  })

  it('agree with a plain count, whatever is observed', async () => {
    const bounds = [-1, 0, 0.25, 10, 1e6]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 })), async (values) => {
        const registry = make()
        const histogram = registry.core.histogram({ name: 'x_seconds', help: 'X.', buckets: bounds })
        for (const value of values) histogram.observe(value)
        const counts = (await linesOf(registry, 'deaios_x_seconds_bucket')).map((line) => Number(line.split(' ')[1]))
        const expected = [...bounds, Infinity].map((bound) => values.filter((value) => value <= bound).length)
        expect(counts).toEqual(expected)
      }),
    )
  })

  it('are the same ones when they are asked for again', async () => {
    const registry = make()
    const ask = () => registry.of('weather').counter({ name: 'readings_total', help: 'Readings.', labels: ['a', 'b'] })
    ask().add(1, { a: 'x', b: 'y' })
    ask().add(1, { b: 'y', a: 'x' })
    expect(await linesOf(registry, 'deaios_readings')).toEqual([
      'deaios_readings_total{plugin="weather",a="x",b="y"} 2',
    ])
  })

  it('have a bound: with too many labels, the rest is counted as one, and the log says so once', async () => {
    const warnings: unknown[] = []
    const registry = new MetricsRegistry({ ...silentLog, warn: (fields: unknown) => void warnings.push(fields) })
    const visits = registry.of('weather').counter({ name: 'visits_total', help: 'By visitor.', labels: ['visitor'] })
    for (let n = 0; n < MAX_SERIES + 100; n++) visits.add(1, { visitor: `${n}${'x'.repeat(1_000)}` })
    const lines = await linesOf(registry, 'deaios_visits')
    expect(lines.length).toBe(MAX_SERIES + 1)
    expect(lines.at(-1)).toBe('deaios_visits_total{plugin="weather",visitor="other"} 100')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(250)
    expect(warnings).toEqual([{ plugin: 'weather', metric: 'visits_total' }])
  })

  it('that cannot be read do not keep the others from being scraped', async () => {
    const registry = make()
    const broken = (): number => {
      throw new Error('no sensor')
    }
    registry.of('weather').gauge({ name: 'broken_count', help: 'Broken.', read: broken })
    registry.of('weather').gauge({ name: 'whole_count', help: 'Whole.', read: () => 3 })
    expect(await linesOf(registry, 'deaios_')).toEqual([
      'deaios_broken_count{plugin="weather"} Nan',
      'deaios_whole_count{plugin="weather"} 3',
    ])
  })
})

describe('a metric that cannot be is refused, naming the plugin and the metric', () => {
  const help = 'Help.'
  it.each<[string, (registry: MetricsRegistry) => unknown, string]>([
    [
      'with other labels than the first time',
      (registry) => {
        registry.of('weather').counter({ name: 'x_total', help, labels: ['a'] })
        registry.of('weather').counter({ name: 'x_total', help, labels: ['b'] })
      },
      'plugin "weather": asks for the metric x_total a second time, with other labels or buckets; ask for it once and share it',
    ],
    [
      'of a kind that another plugin has made something else',
      (registry) => {
        registry.of('rival').gauge({ name: 'x_seconds', help })
        registry.of('weather').histogram({ name: 'x_seconds', help, buckets: [1] })
      },
      'plugin "weather": asks for the metric x_seconds as a histogram, and it is of another kind already; rename it',
    ],
    [
      'without a unit',
      (registry) => registry.of('weather').gauge({ name: 'pressure', help }),
      'plugin "weather": the metric pressure does not say its unit; let it end in one of _total, _count, _ratio, _seconds, _bytes, _units, _info',
    ],
    [
      'that counts and does not say so',
      (registry) => registry.of('weather').counter({ name: 'x_count', help }),
      'plugin "weather": the metric x_count is a counter, whose name ends in _total',
    ],
    [
      'that says it counts and does not',
      (registry) => registry.of('weather').gauge({ name: 'x_total', help }),
      'plugin "weather": the metric x_total is a gauge, and only counters end in _total',
    ],
    [
      'with a name that is none',
      (registry) => registry.of('weather').counter({ name: 'x{}_total', help }),
      'plugin "weather": the metric x{}_total is no name; use a-z, 0-9 and _',
    ],
    [
      'with a label that is ours',
      (registry) => registry.of('weather').counter({ name: 'x_total', help, labels: ['plugin'] }),
      'plugin "weather": the metric x_total has a label "plugin", which is reserved or no name',
    ],
    [
      'with buckets that do not ascend',
      (registry) => registry.of('weather').histogram({ name: 'x_seconds', help, buckets: [1, 1] }),
      'plugin "weather": the metric x_seconds has buckets that are not 1 to 50 ascending numbers',
    ],
    [
      'with a counter that shrinks',
      (registry) => registry.of('weather').counter({ name: 'x_total', help }).add(-1),
      'a counter only grows; it cannot be added -1',
    ],
  ])('%s', (_what, ask, message) => {
    expect(() => ask(make())).toThrow(message)
  })
})
