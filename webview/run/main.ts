import 'uplot/dist/uPlot.min.css';
import '../ui/page.css';
import '../charts/charts.css';
import '../charts/figure.css';
import './run.css';
import './samples.css';
import './pictures.css';
import { followSeries } from '../charts/chart-colors';
import { registerToolkit } from '../ui/toolkit';
import './run-page';

followSeries();
registerToolkit();
document.body.append(document.createElement('aurora-run'));
