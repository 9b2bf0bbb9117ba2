"""What changes who serves: the observed champion, promotion, deployment, rollback, and the server's view of a ref.

The ref is the truth; MLflow's aliases and the running server follow it.
"""
