// Is the dashboard one by Grafana's own types? Their enums are strings in JSON.
// `make test-monitoring` puts the dashboard behind these lines.
import type { AnnotationQuery, Dashboard, DataQuery } from '@grafana/schema';

type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

interface Prometheus extends DataQuery {
  expr: string;
  interval: string;
  legendFormat: string;
}
interface Ours extends Omit<Plain<Dashboard>, 'annotations'> {
  annotations: { list: Plain<AnnotationQuery<Prometheus>>[] };
}

export const dashboard: Ours =
