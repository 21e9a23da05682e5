import 'uplot/dist/uPlot.min.css';
import '../ui/page.css';
import '../ui/fields.css';
import '../charts/charts.css';
import '../charts/figure.css';
import './runs.css';
import { followSeries } from '../charts/series';
import { registerToolkit } from '../ui/toolkit';
import { RunsApp } from './app';
import { RunCurves } from './curves';
import { RunsGrid } from './grid';

followSeries();
registerToolkit();
customElements.define('aurora-run-curves', RunCurves);
customElements.define('aurora-runs-grid', RunsGrid);
customElements.define('aurora-runs', RunsApp);
document.body.append(document.createElement('aurora-runs'));
