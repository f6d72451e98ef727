"""The dashboard: its entry point, and what the pages share. Only here, in `app.py` and `pages/` is Streamlit known."""
