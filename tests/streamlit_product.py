"""A chat of a product, as its maker would write it; the test of the client runs it with `streamlit run`."""

import streamlit as st

from feedback_lab.client import Client


@st.cache_resource
def lab() -> Client:
    return Client(flush_interval=0.1)


client = st.session_state.lab = lab()


@client.recorded(model="heron-1")
def answer(question: str) -> str:
    return f"About {question}: call us."


if question := st.chat_input("Ask"):
    st.session_state.said = (question, answer(question), client.last_id())

if "said" in st.session_state:
    question, text, name = st.session_state.said
    st.text(text)
    st.feedback("thumbs", key=name, on_change=client.on_feedback, args=(st.session_state, name, name))
    st.feedback("stars", key="stars", on_change=client.on_feedback, args=(st.session_state, "stars", name, (1, 5)))
