import 'uplot/dist/uPlot.min.css';
import '../ui/page.css';
import '../charts/charts.css';
import './run.css';
import { registerToolkit } from '../ui/toolkit';
import './app';

registerToolkit();
document.body.append(document.createElement('aurora-run'));
