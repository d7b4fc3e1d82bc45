import { isAbsolute, relative, resolve, sep } from 'node:path'
import { isInside } from '../../paths.ts'
import type { FindingPlace, Report } from './report.ts'

/** `policies/a.yaml:3:5` */
export function placeText({ file, region }: FindingPlace): string {
  if (region === undefined) return file
  return region.column === undefined ? `${file}:${region.line}` : `${file}:${region.line}:${region.column}`
}

/** The report with files relative to a folder, those that lie in it; all others absolute. */
export function seenFrom(folder: string, report: Report): Report {
  const seen = (file: string) => {
    const path = isAbsolute(file) ? file : resolve(report.folder, file)
    return isInside(folder, path) ? relative(folder, path).split(sep).join('/') : path
  }
  const cases = report.cases.map(each => ({
    ...each,
    findings: each.findings.map(finding =>
      finding.place === undefined
        ? finding
        : { ...finding, place: { ...finding.place, file: seen(finding.place.file) } },
    ),
  }))
  return { ...report, folder, cases }
}
