import 'uplot/dist/uPlot.min.css';
import '../ui/page.css';
import '../charts/charts.css';
import '../charts/figure.css';
import './run.css';
import './samples.css';
import './pictures/pictures.css';
import { followSeries } from '../charts/series';
import { registerToolkit } from '../ui/toolkit';
import './app';

followSeries();
registerToolkit();
document.body.append(document.createElement('aurora-run'));
